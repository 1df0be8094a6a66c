/* SPDX-License-Identifier: Apache-2.0 */
/* Contract commands: whose objects may go to whom. */
#include "hub/ctl/contract.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/print.h"

enum { BODY_MAX = 4096 };

static const char *body(struct arena *a, const struct command_line *line, bool allow)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "from", line->from);
    json_put_text(&t, "to", line->to);
    if (line->module)
        json_put_text(&t, "module", line->module);
    json_put_bool(&t, "allow", allow);
    json_end_object(&t);
    return t.bytes;
}

const char *contract_allow_body(struct arena *a, const struct command_line *line)
{
    return body(a, line, true);
}

const char *contract_deny_body(struct arena *a, const struct command_line *line)
{
    return body(a, line, false);
}

const char *contract_list_query(struct arena *a, const struct command_line *line)
{
    return arena_printf(a, "?from=%s&to=%s", line->from ? text_url_encode(a, line->from) : "",
                        line->to ? text_url_encode(a, line->to) : "");
}

static const char *module_of(struct arena *a, const json_t *contract)
{
    return json_text_of(contract, "module") ? print_cell(a, json_object_get(contract, "module"))
                                            : "all modules";
}

void contract_print(struct arena *a, json_t *answer)
{
    printf("%s to %s, %s: %s.\n", print_cell(a, json_object_get(answer, "from")),
           print_cell(a, json_object_get(answer, "to")), module_of(a, answer),
           json_is_true(json_object_get(answer, "allowed")) ? "allowed" : "denied");
}

void contract_print_list(struct arena *a, json_t *answer)
{
    enum { COLUMNS = 5 };
    static const char *const HEAD[COLUMNS] = {"FROM", "TO", "MODULE", "ALLOWED", "SINCE"};
    const json_t *items = json_array_of(answer, "items");
    struct print_table table;

    if (!json_array_size(items)) {
        puts("There is no such contract. `hubctl contract allow` makes one.");
        return;
    }
    print_table_init(&table, a, COLUMNS);
    print_table_add(&table, HEAD);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *c = json_array_get(items, i);
        print_table_add(&table, (const char *[]){
                                    print_cell(a, json_object_get(c, "from")),
                                    print_cell(a, json_object_get(c, "to")),
                                    module_of(a, c),
                                    print_cell(a, json_object_get(c, "allowed")),
                                    print_cell(a, json_object_get(c, "since")),
                                });
    }
    print_table_end(&table);
}
