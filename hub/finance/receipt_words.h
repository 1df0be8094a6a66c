/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts in words: every text of a receipt in each of its languages, and figures as people there
 * write them. All figures come from integers; nothing here rounds what was reckoned before, except
 * that a quantity is shown with as many decimals as it has.
 *
 * A new language is one more column here, one more row in receipt_words.c and in the tests.
 */
#ifndef HUB_FINANCE_RECEIPT_WORDS_H
#define HUB_FINANCE_RECEIPT_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "hub/finance/receipt_content.h"

struct arena;

enum receipt_language { RECEIPT_EN, RECEIPT_DE, RECEIPT_FI, RECEIPT_LANGUAGE_COUNT };

/* "en", "de", "fi", in the order of the enum. */
extern const char *const receipt_languages[RECEIPT_LANGUAGE_COUNT];

/* clang-format off */
#define RECEIPT_WORDS(X) /* name, English, German, Finnish */ \
    X(TITLE, "Receipt", "Rechnung", "Kuitti") \
    X(TITLE_CANCELLATION, "Cancellation", "Stornorechnung", "Hyvityskuitti") \
    X(NUMBER, "Number", "Nummer", "Numero") \
    X(ISSUED, "Issue date", "Ausstellungsdatum", "Päiväys") \
    X(REPLACES, "Replaces receipt", "Ersetzt Rechnung", "Korvaa kuitin") \
    X(CANCELS, "Cancels receipt", "Storniert Rechnung", "Peruu kuitin") \
    X(CANCELS_IN_FULL, "This document cancels the receipt named above in full. Its amounts are those of that receipt, with the opposite sign.", \
      "Diese Stornorechnung hebt die oben genannte Rechnung vollständig auf. Die Beträge sind die jener Rechnung mit umgekehrtem Vorzeichen.", \
      "Tämä asiakirja peruu edellä mainitun kuitin kokonaan. Summat ovat samat kuin siinä, mutta vastakkaismerkkiset.") \
    X(CANCELLED_BY, "Cancelled by", "Storniert durch", "Peruttu asiakirjalla") \
    X(BUYER, "Bill to", "Rechnung an", "Asiakas") \
    X(SESSION, "Charging session", "Ladevorgang", "Lataustapahtuma") \
    X(ENERGY, "Energy", "Energie", "Energia") \
    X(DURATION, "Duration", "Dauer", "Kesto") \
    X(TOTAL, "Total", "Gesamtbetrag", "Yhteensä") \
    X(PLACE, "Location", "Ort", "Paikka") \
    X(EVSE, "Charge point", "Ladepunkt", "Latauspiste") \
    X(NETWORK, "Charging network", "Ladenetz", "Latausverkko") \
    X(START, "Start", "Beginn", "Alkoi") \
    X(END, "End", "Ende", "Päättyi") \
    X(CHARGING_TIME, "Charging time", "Ladezeit", "Latausaika") \
    X(PARKING_TIME, "Parking time", "Standzeit", "Seisonta-aika") \
    X(METER, "Meter readings", "Zählerstände", "Mittarilukemat") \
    X(SIGNED, "Signed meter data", "Signierte Messdaten", "Allekirjoitetut mittaustiedot") \
    X(PRICE, "Price", "Preis", "Hinta") \
    X(WHAT, "Description", "Leistung", "Kuvaus") \
    X(QUANTITY, "Quantity", "Menge", "Määrä") \
    X(UNIT_PRICE, "Unit price", "Einzelpreis", "Yksikköhinta") \
    X(VAT, "VAT", "USt.", "ALV") \
    X(AMOUNT, "Amount", "Betrag", "Summa") \
    X(AMOUNT_NET, "Net amount", "Nettobetrag", "Veroton summa") \
    X(WITH_VAT, "Prices and amounts include VAT.", "Preise und Beträge einschließlich Umsatzsteuer.", "Hinnat ja summat sisältävät arvonlisäveron.") \
    X(WITHOUT_VAT, "Prices and amounts of the lines are without VAT.", "Preise und Beträge der Positionen ohne Umsatzsteuer.", "Rivien hinnat ja summat ovat verottomia.") \
    X(NET_TOTAL, "Net total", "Summe netto", "Veroton summa") \
    X(VAT_TOTAL, "VAT", "Umsatzsteuer", "Arvonlisävero") \
    X(VAT_RATE, "VAT rate", "Steuersatz", "Verokanta") \
    X(NET, "Net", "Netto", "Veroton") \
    X(GROSS, "Gross", "Brutto", "Verollinen") \
    X(DETAILS, "Details", "Angaben", "Lisätiedot") \
    X(TARIFF, "Tariff", "Tarif", "Hinnasto") \
    X(TARIFF_VERSION, "version", "Version", "versio") \
    X(TARIFF_OF_NETWORK, "Price of the charging network", "Preis des Ladenetzes", "Latausverkon hinta") \
    X(PAYMENT, "Payment", "Zahlung", "Maksu") \
    X(SESSION_ID, "Session", "Ladevorgang", "Lataustapahtuma") \
    X(CDR_ID, "Charge record (CDR)", "Ladedatensatz (CDR)", "Lataustietue (CDR)") \
    X(NOTES, "Notes", "Hinweise", "Huomautukset") \
    X(CONTACT, "Questions and complaints", "Fragen und Beschwerden", "Kysymykset ja reklamaatiot") \
    X(VAT_ID, "VAT ID", "USt-IdNr.", "ALV-tunnus") \
    X(PAGE, "Page # of #", "Seite # von #", "Sivu #/#") \
    X(FROM_MINUTE, "from minute # on", "ab Minute #", "#. minuutista alkaen") \
    X(CONTINUED, "continued", "Fortsetzung", "jatkoa")

#define RECEIPT_LINE_WORDS(X) /* kind of line, as above */ \
    X(CHARGING, "Charging", "Ladevorgang", "Lataus") \
    X(SESSION, "Session fee", "Grundpreis je Ladevorgang", "Aloitusmaksu") \
    X(ENERGY, "Energy", "Energie", "Energia") \
    X(TIME, "Time", "Zeit", "Aika") \
    X(PARKING, "Parking", "Standzeit", "Seisonta") \
    X(RESERVATION, "Reservation", "Reservierung", "Varaus") \
    X(MINIMUM, "Up to the minimum price", "Ausgleich zum Mindestpreis", "Täydennys vähimmäishintaan") \
    X(LIMIT, "Down to the maximum price", "Minderung auf den Höchstpreis", "Alennus enimmäishintaan") \
    X(FEE, "Fee", "Gebühr", "Maksu")

#define RECEIPT_PAYMENT_WORDS(X) /* payment_status, as above */ \
    X("pending", "Not yet paid", "Noch nicht bezahlt", "Maksamatta") \
    X("paid", "Paid", "Bezahlt", "Maksettu") \
    X("failed", "Payment failed", "Zahlung fehlgeschlagen", "Maksu epäonnistui") \
    X("refunded", "Refunded", "Erstattet", "Palautettu") \
    X("partially_refunded", "Partially refunded", "Teilweise erstattet", "Palautettu osittain")

#define RECEIPT_NOTE_WORDS(X) /* code of a note, as above */ \
    X("void_session", "No energy was delivered; nothing is charged.", "Es wurde keine Energie geliefert; es wird nichts berechnet.", "Energiaa ei toimitettu; mitään ei veloiteta.") \
    X("free_of_charge", "This session was free of charge.", "Dieser Ladevorgang war kostenlos.", "Tämä lataus oli maksuton.") \
    X("max_charging_time", "The billed time is limited to the longest charging time of the tariff.", "Die berechnete Zeit ist auf die längste Ladezeit des Tarifs begrenzt.", "Veloitettava aika on rajattu hinnaston pisimpään latausaikaan.") \
    X("manual_record", "The session was recorded by hand because the network sent no record.", "Der Ladevorgang wurde von Hand erfasst, da das Ladenetz keinen Datensatz gesendet hat.", "Lataustapahtuma kirjattiin käsin, koska latausverkko ei lähettänyt tietuetta.") \
    X("by_tariff", "The charging network stated more than its tariff comes to; billed is what the tariff comes to.", "Das Ladenetz hat mehr angegeben, als sein Tarif ergibt; berechnet wird, was der Tarif ergibt.", "Latausverkko ilmoitti enemmän kuin sen hinnasto antaa; veloitetaan hinnaston mukainen summa.") \
    X("as_stated", "The charging network stated less than its tariff comes to; billed is what it stated.", "Das Ladenetz hat weniger angegeben, als sein Tarif ergibt; berechnet wird der angegebene Betrag.", "Latausverkko ilmoitti vähemmän kuin sen hinnasto antaa; veloitetaan ilmoitettu summa.") \
    X("reverse_charge", "Reverse charge: VAT is owed by the customer.", "Steuerschuldnerschaft des Leistungsempfängers.", "Käännetty verovelvollisuus: ostaja on verovelvollinen.") \
    X("vat_unknown", "The charging network stated no VAT.", "Das Ladenetz hat keine Umsatzsteuer ausgewiesen.", "Latausverkko ei ilmoittanut arvonlisäveroa.") \
    X("not_collected", "The corrected price is higher than the first; the difference is not collected.", "Der berichtigte Preis ist höher als der erste; der Unterschied wird nicht eingezogen.", "Oikaistu hinta on alkuperäistä korkeampi; erotusta ei peritä.")
/* clang-format on */

enum receipt_word {
#define X(name, en, de, fi) RECEIPT_WORD_##name,
    RECEIPT_WORDS(X)
#undef X
        RECEIPT_WORD_COUNT
};

const char *receipt_word(enum receipt_language l, enum receipt_word w);
/* With numbers in place of its one or two signs #. */
const char *receipt_word_with(struct arena *a, enum receipt_language l, enum receipt_word w,
                              int64_t first, int64_t second);
const char *receipt_line_name(enum receipt_language l, enum bill_kind kind);
/* Never NULL: a note or a state that is not in the lists is shown as it is. */
const char *receipt_note_text(enum receipt_language l, const char *note);
const char *receipt_payment_text(enum receipt_language l, const char *state);
/* "Finland" from "FIN"; the code itself where we have no name for it. */
const char *receipt_country_name(enum receipt_language l, const char *alpha3);

/* ---- figures; the texts live in the arena ---- */

/* "€1,234.56", "1.234,56 €", "1 234,56 €"; "SEK 12.00" where there is no sign of its own. */
const char *receipt_money(struct arena *a, enum receipt_language l, int64_t minor,
                          const char *currency);
/* The same with the decimals that the price has, and of what: "€0.4567/kWh". */
const char *receipt_price(struct arena *a, enum receipt_language l, int64_t price_u6,
                          const char *currency, enum bill_unit unit);
/* "23.457 kWh", "1.5 h", "133 min", "1". */
const char *receipt_quantity(struct arena *a, enum receipt_language l, int64_t quantity_u6,
                             enum bill_unit unit);
const char *receipt_percent(struct arena *a, enum receipt_language l, int64_t vat_u4);
/* "6 h 12 min 25 s": units that are nought are left out. */
const char *receipt_duration(struct arena *a, int64_t seconds);
/* "3 May 2026", "3.5.2026": the date at that offset. */
const char *receipt_date(struct arena *a, enum receipt_language l, struct receipt_time at);
/* "3 May 2026, 14:05:09 (UTC+2)" */
const char *receipt_moment(struct arena *a, enum receipt_language l, struct receipt_time at);

#endif
