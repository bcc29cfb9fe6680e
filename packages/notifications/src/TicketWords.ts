/** What stands on a ticket, in each of our languages. */
import type { Locale } from "@onsale/contracts/notifications/Locale"

export interface TicketWords {
  readonly title: (event: string) => string
  readonly admitOne: string
  readonly count: (index: number, of: number) => string
  readonly seat: string
  readonly place: string
  readonly venue: string
  readonly name: string
  readonly price: string
  /** Of a ticket that shows no price. */
  readonly category: string
  /** What a pass in a telephone's wallet says besides. */
  readonly pass: {
    readonly event: string
    readonly date: string
    readonly ticket: string
    readonly address: string
  }
  /** Above the map. */
  readonly yourSeat: string
  /** In its place, where nobody has a seat. */
  readonly yourArea: string
  readonly freeChoice: string
  readonly show: string
  /** Until when the price is paid back, null for always, and what is kept of it, null for nothing. */
  readonly refunds: (until: string | null, fee: string | null) => string
  readonly noRefunds: string
  readonly ticket: (id: string) => string
  readonly order: (reference: string) => string
}

const English: TicketWords = {
  title: (event) => `Tickets for ${event}`,
  admitOne: "ADMIT ONE",
  count: (index, of) => `TICKET ${index} OF ${of}`,
  seat: "SEAT",
  place: "AREA",
  venue: "VENUE",
  name: "NAME",
  price: "PRICE",
  category: "CATEGORY",
  pass: { event: "EVENT", date: "DATE", ticket: "Ticket", address: "Address" },
  yourSeat: "WHERE YOU SIT",
  yourArea: "WHERE YOU ARE",
  freeChoice: "No numbered seats: the place within this area is yours to choose.",
  show: "Show this code at the door. It admits one person, once: keep it to yourself.",
  refunds: (until, fee) =>
    `Refunds: ${until === null ? "as long as the ticket is not used" : `until ${until}, if the ticket is not used`}; ${fee === null ? "the full price" : `the price less a fee of ${fee} a ticket`}.`,
  noRefunds: "Refunds: this ticket cannot be returned.",
  ticket: (id) => `Ticket ${id}`,
  order: (reference) => `Order ref. ${reference}`
}

const German: TicketWords = {
  title: (event) => `Tickets für ${event}`,
  admitOne: "EINTRITT FÜR EINE PERSON",
  count: (index, of) => `TICKET ${index} VON ${of}`,
  seat: "PLATZ",
  place: "BEREICH",
  venue: "ORT",
  name: "NAME",
  price: "PREIS",
  category: "KATEGORIE",
  pass: { event: "VERANSTALTUNG", date: "DATUM", ticket: "Ticket", address: "Adresse" },
  yourSeat: "HIER SITZEN SIE",
  yourArea: "HIER SIND SIE",
  freeChoice: "Freie Platzwahl innerhalb dieses Bereichs.",
  show: "Zeigen Sie diesen Code am Einlass. Er gilt einmal und für eine Person: Geben Sie ihn nicht weiter.",
  refunds: (until, fee) =>
    `Rückgabe: ${until === null ? "solange das Ticket nicht benutzt ist" : `bis ${until}, wenn das Ticket nicht benutzt ist`}; erstattet wird ${fee === null ? "der volle Preis" : `der Preis abzüglich einer Gebühr von ${fee} je Ticket`}.`,
  noRefunds: "Rückgabe: Dieses Ticket kann nicht zurückgegeben werden.",
  ticket: (id) => `Ticket ${id}`,
  order: (reference) => `Bestellung ${reference}`
}

const French: TicketWords = {
  title: (event) => `Billets pour ${event}`,
  admitOne: "ENTRÉE POUR UNE PERSONNE",
  count: (index, of) => `BILLET ${index} SUR ${of}`,
  seat: "PLACE",
  place: "ZONE",
  venue: "LIEU",
  name: "NOM",
  price: "PRIX",
  category: "CATÉGORIE",
  pass: { event: "ÉVÉNEMENT", date: "DATE", ticket: "Billet", address: "Adresse" },
  yourSeat: "VOTRE PLACE",
  yourArea: "VOTRE ZONE",
  freeChoice: "Placement libre dans cette zone.",
  show: "Présentez ce code à l’entrée. Il vaut une fois pour une personne : gardez-le pour vous.",
  refunds: (until, fee) =>
    `Remboursement : ${until === null ? "tant que le billet n’est pas utilisé" : `jusqu’au ${until}, si le billet n’est pas utilisé`} ; ${fee === null ? "le prix entier" : `le prix moins ${fee} de frais par billet`}.`,
  noRefunds: "Remboursement : ce billet ne peut pas être rendu.",
  ticket: (id) => `Billet ${id}`,
  order: (reference) => `Commande ${reference}`
}

const Spanish: TicketWords = {
  title: (event) => `Entradas para ${event}`,
  admitOne: "ENTRADA PARA UNA PERSONA",
  count: (index, of) => `ENTRADA ${index} DE ${of}`,
  seat: "ASIENTO",
  place: "ZONA",
  venue: "LUGAR",
  name: "NOMBRE",
  price: "PRECIO",
  category: "CATEGORÍA",
  pass: { event: "EVENTO", date: "FECHA", ticket: "Entrada", address: "Dirección" },
  yourSeat: "SU ASIENTO",
  yourArea: "SU ZONA",
  freeChoice: "Sin asientos numerados: elija su sitio dentro de esta zona.",
  show: "Muestre este código en la entrada. Vale una vez y para una persona: no lo comparta.",
  refunds: (until, fee) =>
    `Reembolso: ${until === null ? "mientras la entrada no se haya usado" : `hasta el ${until}, si la entrada no se ha usado`}; ${fee === null ? "el precio completo" : `el precio menos un cargo de ${fee} por entrada`}.`,
  noRefunds: "Reembolso: esta entrada no se puede devolver.",
  ticket: (id) => `Entrada ${id}`,
  order: (reference) => `Pedido ${reference}`
}

const Arabic: TicketWords = {
  title: (event) => `تذاكر ${event}`,
  admitOne: "دخول لشخص واحد",
  count: (index, of) => `تذكرة ${index} من ${of}`,
  seat: "المقعد",
  place: "المنطقة",
  venue: "المكان",
  name: "الاسم",
  price: "السعر",
  category: "الفئة",
  pass: { event: "الفعالية", date: "التاريخ", ticket: "التذكرة", address: "العنوان" },
  yourSeat: "موقع مقعدك",
  yourArea: "موقعك",
  freeChoice: "لا توجد مقاعد مرقمة: اختر مكانك داخل هذه المنطقة.",
  show: "أظهر هذا الرمز عند الباب. يصلح مرة واحدة لشخص واحد: لا تشاركه مع أحد.",
  refunds: (until, fee) =>
    `استرداد الثمن: ${until === null ? "ما دامت التذكرة لم تستخدم" : `حتى ${until}، ما لم تستخدم التذكرة`}؛ ${fee === null ? "السعر كاملاً" : `السعر ناقص رسم قدره ${fee} عن كل تذكرة`}.`,
  noRefunds: "استرداد الثمن: لا يمكن إرجاع هذه التذكرة.",
  ticket: (id) => `تذكرة ${id}`,
  order: (reference) => `رقم الطلب ${reference}`
}

/** By language: what one lacks, the compiler says. */
export const ticketWords: { readonly [L in Locale]: TicketWords } = {
  en: English,
  de: German,
  fr: French,
  es: Spanish,
  ar: Arabic
}
