import { plural, sentences, type Words } from "../Words.ts"

const count = plural("de")

const notPaid = (acts: boolean) =>
  acts ? "Ihre Bank möchte, dass Sie die Zahlung bestätigen." : "Wir warten noch auf Ihren Zahlungsanbieter."

export const German: Words = {
  greeting: (name) => `Guten Tag ${name},`,
  labelled: (label, value) => `${label}: ${value}`,
  labels: {
    total: "Gesamtbetrag",
    refund: "Erstattung",
    fee: "Einbehaltene Gebühr",
    before: "Bisher",
    now: "Jetzt",
    reason: "Der Veranstalter schreibt",
    pay: "Zahlung bestätigen",
    givenTo: (name) => `überlassen an ${name}`,
    returned: "zurückgegeben"
  },
  more: (more) => `und ${more} weitere`,
  order: (orderId, reference) =>
    reference === null ? `Bestellung ${orderId}` : `Bestellung ${orderId} (auf den Tickets: ${reference})`,
  orderIsSecret:
    "Wer diese Nummer kennt, kann die Tickets zurückgeben: Leiten Sie diese E-Mail nicht weiter.",
  reference: (reference) => `Referenz ${reference}`,
  because: {
    order: "Sie erhalten diese Nachricht, weil mit dieser Adresse eine Bestellung aufgegeben wurde.",
    ticket: "Sie erhalten diese Nachricht, weil ein Ticket auf diese Adresse ausgestellt wurde.",
    hold: "Sie erhalten diese Nachricht, weil Sie darum gebeten haben."
  },
  calendarNote: {
    order:
      "Halten Sie Ihre Tickets bereit, auf Papier oder auf einem Bildschirm. Sie haben sie mit der Bestätigung Ihrer Bestellung erhalten.",
    ticket:
      "Halten Sie Ihre Tickets bereit, auf Papier oder auf einem Bildschirm. Sie haben sie per E-Mail erhalten, als sie Ihnen überlassen wurden."
  },
  unsubscribe: {
    reminders: "Keine Erinnerungen mehr erhalten",
    news: "Keine Neuigkeiten zu Veranstaltungen mehr erhalten"
  },
  unsubscribePage: {
    ask: {
      reminders: "Möchten Sie keine Erinnerungen an Veranstaltungen mehr erhalten?",
      news: "Möchten Sie keine Neuigkeiten zu Veranstaltungen mehr erhalten?"
    },
    done: {
      reminders: "Sie erhalten keine Erinnerungen mehr per E-Mail.",
      news: "Sie erhalten keine Neuigkeiten zu Veranstaltungen mehr per E-Mail."
    },
    stays: "Tickets, Zahlungen und Änderungen von Zeit oder Ort teilen wir Ihnen weiterhin mit.",
    refused: "Dieser Link ist ungültig. Bitte verwenden Sie den vollständigen Link aus der Nachricht."
  },
  notices: {
    OrderConfirmed: ({ at, event, isReturned, tickets, when }) =>
      tickets === 0
        ? {
            subject: `Ihre Bestellung für ${event} ist bestätigt`,
            heading: "Ihre Bestellung ist bestätigt",
            brief: `Ihre Bestellung für ${event} (${at}) ist bestätigt. Sie haben keines ihrer Tickets mehr.`,
            body: [
              `Vielen Dank für Ihre Bestellung für ${event}, ${when}. Sie ist bestätigt.`,
              isReturned
                ? "Sie haben keines ihrer Tickets mehr: Jedes wurde einer anderen Person überlassen oder zurückgegeben, wie unten angegeben."
                : "Sie haben keines ihrer Tickets mehr: Sie haben jedes einer anderen Person überlassen, wie unten angegeben. Diese Personen erhalten die Tickets."
            ]
          }
        : {
            subject: count(tickets, {
              one: `Ihr Ticket für ${event}`,
              other: `Ihre ${tickets} Tickets für ${event}`
            }),
            heading: count(tickets, { one: "Ihr Ticket ist da", other: "Ihre Tickets sind da" }),
            brief: count(tickets, {
              one: `Ihr Ticket für ${event} (${at}) haben Sie per E-Mail erhalten.`,
              other: `Ihre ${tickets} Tickets für ${event} (${at}) haben Sie per E-Mail erhalten.`
            }),
            body: [
              count(tickets, {
                one: `Vielen Dank für Ihre Bestellung. Hier ist Ihr Ticket für ${event}, ${when}.`,
                other: `Vielen Dank für Ihre Bestellung. Hier sind Ihre ${tickets} Tickets für ${event}, ${when}.`
              }),
              count(tickets, {
                one: "Es ist als PDF angehängt. Zeigen Sie den Code am Einlass, auf Papier oder auf einem Bildschirm.",
                other:
                  "Sie sind als PDF angehängt. Zeigen Sie den Code jedes Tickets am Einlass, auf Papier oder auf einem Bildschirm."
              }),
              "Wer den Code hat, hat das Ticket: Behalten Sie ihn für sich."
            ]
          },
    PaymentPending: ({ acts, amount, event, until }) => ({
      subject: `Ihre Zahlung für ${event} ist noch nicht abgeschlossen`,
      heading: "Ihre Zahlung ist noch nicht abgeschlossen",
      brief: `Ihre Zahlung von ${amount} für ${event} ist noch offen. Ihre Plätze sind bis ${until} reserviert.`,
      body: [
        `Ihre Plätze für ${event} sind für Sie reserviert. ${notPaid(acts)} Der Betrag ist ${amount}.`,
        `Ist die Zahlung bis ${until} nicht abgeschlossen, werden die Plätze freigegeben. Für Geld, das später eingeht, erhalten Sie dieselben Plätze, wenn sie noch frei sind; andernfalls geht es an Sie zurück.`
      ]
    }),
    PaymentExpiring: ({ acts, amount, event, until }) => ({
      subject: `Ihre Plätze für ${event} sind bis ${until} reserviert`,
      heading: "Ihre Plätze werden bald freigegeben",
      brief: `Ihre Zahlung von ${amount} für ${event} ist noch offen. Reserviert bis ${until}, danach werden die Plätze freigegeben.`,
      body: [
        `Ihre Zahlung von ${amount} für ${event} ist noch nicht abgeschlossen. ${notPaid(acts)}`,
        `Ihre Plätze sind bis ${until} reserviert. Danach werden sie freigegeben, und andere können sie kaufen.`
      ]
    }),
    PaymentDeclined: ({ amount, event }) => ({
      subject: `Ihre Zahlung für ${event} wurde abgelehnt`,
      heading: "Ihre Zahlung wurde abgelehnt",
      brief: `Ihre Zahlung von ${amount} für ${event} wurde abgelehnt. Es wurde nichts abgebucht.`,
      body: [
        `Ihre Zahlung von ${amount} für ${event} wurde abgelehnt. Es wurde nichts abgebucht, und Sie haben keine Tickets erhalten.`,
        "Ihre Plätze sind höchstens noch einige Minuten reserviert. Bis dahin können Sie es erneut versuchen, auch mit einer anderen Zahlungsart."
      ]
    }),
    OrderCancelled: ({ amount, event, paid }) => ({
      subject: `Ihre Bestellung für ${event} wurde storniert`,
      heading: "Ihre Bestellung wurde storniert",
      brief: paid
        ? `Ihre Bestellung für ${event} wurde storniert. Ihr Geld (${amount}) ist auf dem Weg zu Ihnen.`
        : `Ihre Bestellung für ${event} wurde storniert. Es wurde nichts abgebucht.`,
      body: sentences(
        `Ihre Bestellung für ${event} wurde ohne Tickets beendet, die Plätze sind freigegeben.`,
        paid
          ? `Die gezahlten ${amount} sind auf demselben Weg, auf dem Sie gezahlt haben, zu Ihnen unterwegs. Bis Ihre Bank sie anzeigt, kann es bis zu zehn Tage dauern.`
          : "Es wurde nichts abgebucht."
      )
    }),
    Refunded: ({ amount, event, fee, isEventCancelled, tickets, whole }) => ({
      subject: amount === null ? `Ihre Rückgabe für ${event}` : `Ihre Erstattung für ${event}`,
      heading: amount === null ? "Ihre Tickets sind zurückgegeben" : "Ihr Geld ist unterwegs",
      brief:
        amount === null
          ? `Ihre Rückgabe für ${event} ist abgeschlossen.`
          : `${amount} für ${event} sind auf dem Weg zu Ihnen.`,
      body: sentences(
        isEventCancelled
          ? `${event} findet nicht statt, und Ihre Tickets dafür sind nicht mehr gültig.`
          : whole
            ? `Alle Tickets Ihrer Bestellung für ${event} sind zurückgegeben. Sie sind nicht mehr gültig, und ihre Plätze sind freigegeben.`
            : count(tickets, {
                one: `Ein Ticket Ihrer Bestellung für ${event} ist zurückgegeben. Es ist nicht mehr gültig, und sein Platz ist freigegeben. Ihre übrigen Tickets bleiben gültig.`,
                other: `${tickets} Tickets Ihrer Bestellung für ${event} sind zurückgegeben. Sie sind nicht mehr gültig, und ihre Plätze sind freigegeben. Ihre übrigen Tickets bleiben gültig.`
              }),
        amount !== null &&
          `${amount} sind auf demselben Weg, auf dem Sie gezahlt haben, zu Ihnen unterwegs. Bis Ihre Bank den Betrag anzeigt, kann es bis zu zehn Tage dauern.`,
        fee !== null &&
          `Vom Preis wurde nach den Bedingungen Ihres Kaufs eine Gebühr von ${fee} einbehalten.`,
        amount === null && "Es ist nichts zu erstatten."
      )
    }),
    EventChanged: ({ change, event, isBeforeKnown, tickets, when }) => ({
      subject: {
        time: `Neue Zeit für ${event}`,
        place: `Neuer Ort für ${event}`,
        timeAndPlace: `Neue Zeit und neuer Ort für ${event}`,
        other: `Neues zu ${event}`
      }[change],
      heading: {
        time: "Die Zeit hat sich geändert",
        place: "Der Ort hat sich geändert",
        timeAndPlace: "Zeit und Ort haben sich geändert",
        other: "Ihre Veranstaltung hat sich geändert"
      }[change],
      brief: {
        time: `${event} hat eine neue Zeit: ${when}.`,
        place: `${event} findet an einem neuen Ort statt. Beginn: ${when}.`,
        timeAndPlace: `${event} findet zu einer neuen Zeit und an einem neuen Ort statt: ${when}.`,
        other: `Der Veranstalter hat Angaben zu ${event} geändert.`
      }[change],
      body: [
        isBeforeKnown
          ? `Der Veranstalter hat Angaben zu ${event} geändert. Unten sehen Sie, was bisher galt und was jetzt gilt.`
          : `Der Veranstalter hat Angaben zu ${event} geändert. Unten sehen Sie, was jetzt gilt.`,
        tickets === 0
          ? "Die Tickets, die Sie anderen überlassen haben, bleiben gültig. Wer sie hat, erhält auch eine Nachricht."
          : "Ihre Tickets bleiben gültig."
      ]
    }),
    EventCancelled: ({ amount, event, giver, tickets, when }) => ({
      subject: `${event} fällt aus`,
      heading: "Die Veranstaltung fällt aus",
      brief:
        amount === null
          ? `${event} fällt aus.`
          : `${event} fällt aus. Ihr Geld (${amount}) ist auf dem Weg zu Ihnen.`,
      body: sentences(
        giver === null
          ? `Es tut uns leid: ${event}, ${when}, findet nicht statt. Ihre Tickets sind nicht mehr gültig.`
          : count(tickets, {
              one: `Es tut uns leid: ${event}, ${when}, findet nicht statt. Das Ticket, das Sie von ${giver} erhalten haben, ist nicht mehr gültig.`,
              other: `Es tut uns leid: ${event}, ${when}, findet nicht statt. Die Tickets, die Sie von ${giver} erhalten haben, sind nicht mehr gültig.`
            }),
        giver !== null && `Den Kaufpreis bekommt ${giver} zurück. Sie müssen nichts tun.`,
        amount !== null &&
          `Die gezahlten ${amount} sind auf demselben Weg, auf dem Sie gezahlt haben, zu Ihnen unterwegs. Sie müssen nichts tun. Bis Ihre Bank den Betrag anzeigt, kann es bis zu zehn Tage dauern.`
      )
    }),
    EventReminder: ({ at, event, isGiven, tickets, when }) => ({
      subject: `Bald: ${event}`,
      heading: "Bis bald",
      brief: `${event} beginnt bald: ${at}. Halten Sie Ihre Tickets bereit.`,
      body: [
        `${event} beginnt bald: ${when}.`,
        isGiven
          ? count(tickets, {
              one: "Halten Sie Ihr Ticket bereit, auf Papier oder auf einem Bildschirm. Sie haben es per E-Mail erhalten, als es Ihnen überlassen wurde.",
              other:
                "Halten Sie Ihre Tickets bereit, auf Papier oder auf einem Bildschirm. Sie haben sie per E-Mail erhalten, als sie Ihnen überlassen wurden."
            })
          : count(tickets, {
              one: "Halten Sie Ihr Ticket bereit, auf Papier oder auf einem Bildschirm. Sie haben es mit der Bestätigung Ihrer Bestellung erhalten.",
              other:
                "Halten Sie Ihre Tickets bereit, auf Papier oder auf einem Bildschirm. Sie haben sie mit der Bestätigung Ihrer Bestellung erhalten."
            })
      ]
    }),
    TicketReissued: ({ event, giver, label }) => ({
      subject: giver === null ? `Ihr neues Ticket für ${event}` : `Ein Ticket für ${event} für Sie`,
      heading: giver === null ? "Ihr neues Ticket" : "Sie haben ein Ticket erhalten",
      brief:
        giver === null
          ? `Ihr Ticket ${label} für ${event} hat einen neuen Code. Der alte gilt nicht mehr.`
          : `${giver} hat Ihnen ein Ticket für ${event} überlassen: ${label}.`,
      body: [
        giver === null
          ? `Ihr Ticket ${label} für ${event} hat einen neuen Code. Der alte wird am Einlass nicht mehr angenommen.`
          : `${giver} hat Ihnen ein Ticket für ${event} überlassen: ${label}. Es gehört nur Ihnen, ältere Codes werden am Einlass nicht mehr angenommen.`,
        "Das Ticket ist als PDF angehängt. Wer den Code hat, hat das Ticket: Behalten Sie ihn für sich."
      ]
    }),
    TicketGiven: ({ event, label, to }) => ({
      subject: `Ihr Ticket für ${event} gehört jetzt ${to}`,
      heading: "Ein Ticket wurde weitergegeben",
      brief: `Das Ticket ${label} für ${event} gehört jetzt ${to}. Ihr Code dafür gilt nicht mehr.`,
      body: [
        `Das Ticket ${label} für ${event} gehört jetzt ${to} und hat einen neuen Code. Ihr bisheriger wird am Einlass nicht mehr angenommen.`,
        "Wenn das nicht in Ihrem Sinn ist, wenden Sie sich bitte umgehend an den Veranstalter."
      ]
    }),
    TicketReturned: ({ event, giver, tickets }) => ({
      subject: count(tickets, {
        one: `Ihr Ticket für ${event} ist nicht mehr gültig`,
        other: `Ihre Tickets für ${event} sind nicht mehr gültig`
      }),
      heading: count(tickets, {
        one: "Ihr Ticket wurde zurückgegeben",
        other: "Ihre Tickets wurden zurückgegeben"
      }),
      brief: count(tickets, {
        one: `Das Ticket für ${event}, das Sie von ${giver} erhalten haben, wurde zurückgegeben. Es ist nicht mehr gültig.`,
        other: `${tickets} Tickets für ${event}, die Sie von ${giver} erhalten haben, wurden zurückgegeben. Sie sind nicht mehr gültig.`
      }),
      body: [
        count(tickets, {
          one: `Das Ticket für ${event}, das Sie von ${giver} erhalten haben, wurde zurückgegeben. Sein Code wird am Einlass nicht mehr angenommen.`,
          other: `${tickets} Tickets für ${event}, die Sie von ${giver} erhalten haben, wurden zurückgegeben. Ihre Codes werden am Einlass nicht mehr angenommen.`
        }),
        `Eine Erstattung bekommt ${giver}. Wenn Sie das nicht erwartet haben, fragen Sie bitte dort nach.`
      ]
    }),
    HoldExpiring: ({ event, until }) => ({
      subject: `Ihre Plätze für ${event} sind bis ${until} reserviert`,
      heading: "Ihre Plätze werden bald freigegeben",
      brief: `Ihre Plätze für ${event} sind bis ${until} reserviert.`,
      body: [
        `Ihre Plätze für ${event} sind bis ${until} reserviert. Sind sie bis dahin nicht gekauft, werden sie freigegeben, und andere können sie kaufen.`
      ]
    })
  }
}
