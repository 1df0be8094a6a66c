# SPDX-License-Identifier: Apache-2.0
"""Turns openapi.yaml into a C array of its JSON: embed.py openapi.yaml out.c"""
import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as source:
    text = json.dumps(yaml.safe_load(source), separators=(",", ":"), default=str).encode()
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write('#include <stddef.h>\nextern const char openapi_json[];\n'
              'extern const size_t openapi_json_length;\nconst char openapi_json[] = {\n')
    for i in range(0, len(text), 20):
        out.write(",".join(str(b if b < 128 else b - 256) for b in text[i:i + 20]) + ",\n")
    out.write("0};\nconst size_t openapi_json_length = %d;\n" % len(text))
