/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hub and its drawing process say to each other over a socket, one question at a time:
 *
 *   question  length (4 bytes, most significant first), then JSON:
 *             {"language":"de","number":"...","issued":"2026-05-04T12:00:00Z","content":{...}}
 *   answer    length (likewise), then one byte and the rest: PDF_DRAWN and the document, or
 *             PDF_REFUSED and why, in English
 *
 * The process ends when the socket is closed.
 */
#ifndef HUB_FINANCE_PDF_FRAME_H
#define HUB_FINANCE_PDF_FRAME_H

enum {
    PDF_HEAD = 4,
    PDF_QUESTION_MAX = 512 * 1024,
    PDF_ANSWER_MAX = 4 * 1024 * 1024,
};

#define PDF_DRAWN 'p'
#define PDF_REFUSED 'e'

#endif
