import { plural, sentences, type Words } from "../Words.ts"

const count = plural("fr")

const notPaid = (acts: boolean) =>
  acts
    ? "Votre banque vous demande de confirmer le paiement."
    : "Nous attendons la réponse de votre prestataire de paiement."

export const French: Words = {
  greeting: (name) => `Bonjour ${name},`,
  labelled: (label, value) => `${label}\u00a0: ${value}`,
  labels: {
    total: "Total",
    refund: "Remboursement",
    fee: "Frais retenus",
    before: "Avant",
    now: "Maintenant",
    reason: "Message de l’organisateur",
    pay: "Confirmer le paiement",
    givenTo: (name) => `cédé à ${name}`,
    returned: "rendu"
  },
  more: (more) => count(more, { one: `et ${more} autre`, other: `et ${more} autres` }),
  order: (orderId, reference) =>
    reference === null ? `Commande ${orderId}` : `Commande ${orderId} (sur les billets\u00a0: ${reference})`,
  orderIsSecret: "Quiconque connaît ce numéro peut rendre les billets\u00a0: ne transférez pas cet e-mail.",
  reference: (reference) => `Référence ${reference}`,
  because: {
    order: "Vous recevez ce message car une commande a été passée avec cette adresse.",
    ticket: "Vous recevez ce message car un billet a été établi pour cette adresse.",
    hold: "Vous recevez ce message car vous avez demandé à être prévenu."
  },
  calendarNote: {
    order:
      "Gardez vos billets à portée de main, sur papier ou à l’écran. Vous les avez reçus avec la confirmation de votre commande.",
    ticket:
      "Gardez vos billets à portée de main, sur papier ou à l’écran. Vous les avez reçus par e-mail lorsqu’ils vous ont été cédés."
  },
  unsubscribe: {
    reminders: "Ne plus recevoir de rappels",
    news: "Ne plus recevoir d’actualités sur les événements"
  },
  unsubscribePage: {
    ask: {
      reminders: "Souhaitez-vous ne plus recevoir de rappels d’événements\u00a0?",
      news: "Souhaitez-vous ne plus recevoir d’actualités sur les événements\u00a0?"
    },
    done: {
      reminders: "Vous ne recevrez plus de rappels par e-mail.",
      news: "Vous ne recevrez plus d’actualités sur les événements par e-mail."
    },
    stays:
      "Vous recevrez toujours vos billets et tout ce qui concerne les paiements et les changements d’horaire ou de lieu.",
    refused: "Ce lien n’est pas valable. Utilisez le lien complet, tel qu’il figure dans le message."
  },
  notices: {
    OrderConfirmed: ({ at, event, isReturned, tickets, when }) =>
      tickets === 0
        ? {
            subject: `Votre commande pour ${event} est confirmée`,
            heading: "Votre commande est confirmée",
            brief: `Votre commande pour ${event} (${at}) est confirmée. Vous n’avez plus aucun de ses billets.`,
            body: [
              `Merci pour votre commande pour ${event}, ${when}. Elle est confirmée.`,
              isReturned
                ? "Vous n’avez plus aucun de ses billets\u00a0: chacun a été cédé à une autre personne ou rendu, comme indiqué ci-dessous."
                : "Vous n’avez plus aucun de ses billets\u00a0: vous avez cédé chacun à une autre personne, comme indiqué ci-dessous. Ces personnes les reçoivent."
            ]
          }
        : {
            subject: count(tickets, {
              one: `Votre billet pour ${event}`,
              other: `Vos ${tickets} billets pour ${event}`
            }),
            heading: count(tickets, { one: "Votre billet est arrivé", other: "Vos billets sont arrivés" }),
            brief: count(tickets, {
              one: `Votre billet pour ${event} (${at}) vous attend dans vos e-mails.`,
              other: `Vos ${tickets} billets pour ${event} (${at}) vous attendent dans vos e-mails.`
            }),
            body: [
              count(tickets, {
                one: `Merci pour votre commande. Voici votre billet pour ${event}, ${when}.`,
                other: `Merci pour votre commande. Voici vos ${tickets} billets pour ${event}, ${when}.`
              }),
              count(tickets, {
                one: "Il est joint au format PDF. Présentez son code à l’entrée, sur papier ou à l’écran.",
                other:
                  "Ils sont joints au format PDF. Présentez le code de chacun à l’entrée, sur papier ou à l’écran."
              }),
              "Celui qui a le code a le billet\u00a0: gardez-le pour vous."
            ]
          },
    PaymentPending: ({ acts, amount, event, until }) => ({
      subject: `Votre paiement pour ${event} n’est pas encore terminé`,
      heading: "Votre paiement n’est pas encore terminé",
      brief: `Votre paiement de ${amount} pour ${event} n’est pas terminé. Vos places sont réservées jusqu’au ${until}.`,
      body: [
        `Vos places pour ${event} vous sont réservées. ${notPaid(acts)} Le montant est de ${amount}.`,
        `Si le paiement n’est pas terminé avant le ${until}, les places seront remises en vente. Si votre argent arrive plus tard, vous recevrez les mêmes places si elles sont encore libres\u00a0; sinon, il vous sera rendu.`
      ]
    }),
    PaymentExpiring: ({ acts, amount, event, until }) => ({
      subject: `Vos places pour ${event} sont réservées jusqu’au ${until}`,
      heading: "Vos places seront bientôt remises en vente",
      brief: `Votre paiement de ${amount} pour ${event} est toujours en attente. Vos places seront remises en vente le ${until}.`,
      body: [
        `Votre paiement de ${amount} pour ${event} n’est toujours pas terminé. ${notPaid(acts)}`,
        `Vos places sont réservées jusqu’au ${until}. Elles seront ensuite remises en vente et d’autres pourront les acheter.`
      ]
    }),
    PaymentDeclined: ({ amount, event }) => ({
      subject: `Votre paiement pour ${event} a été refusé`,
      heading: "Votre paiement a été refusé",
      brief: `Votre paiement de ${amount} pour ${event} a été refusé. Rien n’a été débité.`,
      body: [
        `Votre paiement de ${amount} pour ${event} a été refusé. Rien n’a été débité, et vous n’avez pas de billets.`,
        "Vos places restent réservées quelques minutes au plus. D’ici là, vous pouvez réessayer, y compris avec un autre moyen de paiement."
      ]
    }),
    OrderCancelled: ({ amount, event, paid }) => ({
      subject: `Votre commande pour ${event} a été annulée`,
      heading: "Votre commande a été annulée",
      brief: paid
        ? `Votre commande pour ${event} a été annulée. Vos ${amount} sont en cours de remboursement.`
        : `Votre commande pour ${event} a été annulée. Rien n’a été débité.`,
      body: sentences(
        `Votre commande pour ${event} s’est terminée sans billets, et ses places ont été remises en vente.`,
        paid
          ? `Les ${amount} que vous avez payés vous sont rendus par le moyen de paiement utilisé. Votre banque peut mettre jusqu’à dix jours pour les afficher.`
          : "Rien n’a été débité."
      )
    }),
    Refunded: ({ amount, event, fee, isEventCancelled, tickets, whole }) => ({
      subject: amount === null ? `Votre retour pour ${event}` : `Votre remboursement pour ${event}`,
      heading: amount === null ? "Vos billets sont rendus" : "Votre argent est en route",
      brief:
        amount === null
          ? `Votre retour pour ${event} est terminé.`
          : `Vos ${amount} pour ${event} sont en cours de remboursement.`,
      body: sentences(
        isEventCancelled
          ? `L’événement ${event} n’aura pas lieu, et vos billets ne sont plus valables.`
          : whole
            ? `Tous les billets de votre commande pour ${event} sont rendus. Ils ne sont plus valables, et leurs places ont été remises en vente.`
            : count(tickets, {
                one: `Un billet de votre commande pour ${event} est rendu. Il n’est plus valable, et sa place a été remise en vente. Vos autres billets restent valables.`,
                other: `${tickets} billets de votre commande pour ${event} sont rendus. Ils ne sont plus valables, et leurs places ont été remises en vente. Vos autres billets restent valables.`
              }),
        amount !== null &&
          `${amount} vous sont rendus par le moyen de paiement utilisé. Votre banque peut mettre jusqu’à dix jours pour les afficher.`,
        fee !== null &&
          `Des frais de ${fee} ont été retenus sur le prix, selon les conditions de votre achat.`,
        amount === null && "Il n’y a rien à rembourser."
      )
    }),
    EventChanged: ({ change, event, isBeforeKnown, tickets, when }) => ({
      subject: {
        time: `Nouvel horaire pour ${event}`,
        place: `Nouveau lieu pour ${event}`,
        timeAndPlace: `Nouvel horaire et nouveau lieu pour ${event}`,
        other: `Du nouveau pour ${event}`
      }[change],
      heading: {
        time: "L’horaire a changé",
        place: "Le lieu a changé",
        timeAndPlace: "L’horaire et le lieu ont changé",
        other: "Votre événement a changé"
      }[change],
      brief: {
        time: `${event} a un nouvel horaire\u00a0: ${when}.`,
        place: `${event} a un nouveau lieu. Début\u00a0: ${when}.`,
        timeAndPlace: `${event} a un nouvel horaire et un nouveau lieu\u00a0: ${when}.`,
        other: `L’organisateur a modifié ${event}.`
      }[change],
      body: [
        isBeforeKnown
          ? `L’organisateur a modifié ${event}. Voici ce qui était prévu, et ce qui est valable maintenant.`
          : `L’organisateur a modifié ${event}. Voici ce qui est valable maintenant.`,
        tickets === 0
          ? "Les billets que vous avez cédés restent valables. Leurs titulaires sont prévenus aussi."
          : "Vos billets restent valables."
      ]
    }),
    EventCancelled: ({ amount, event, giver, tickets, when }) => ({
      subject: `${event} est annulé`,
      heading: "L’événement est annulé",
      brief:
        amount === null
          ? `L’événement ${event} est annulé.`
          : `L’événement ${event} est annulé. Vos ${amount} sont en cours de remboursement.`,
      body: sentences(
        giver === null
          ? `Nous sommes désolés\u00a0: ${event}, ${when}, n’aura pas lieu. Vos billets ne sont plus valables.`
          : count(tickets, {
              one: `Nous sommes désolés\u00a0: ${event}, ${when}, n’aura pas lieu. Le billet que ${giver} vous a cédé n’est plus valable.`,
              other: `Nous sommes désolés\u00a0: ${event}, ${when}, n’aura pas lieu. Les billets que ${giver} vous a cédés ne sont plus valables.`
            }),
        giver !== null &&
          `La somme payée est rendue à ${giver}, qui a payé la commande. Vous n’avez rien à faire.`,
        amount !== null &&
          `Les ${amount} que vous avez payés vous sont rendus par le moyen de paiement utilisé. Vous n’avez rien à faire. Votre banque peut mettre jusqu’à dix jours pour les afficher.`
      )
    }),
    EventReminder: ({ at, event, isGiven, tickets, when }) => ({
      subject: `Bientôt\u00a0: ${event}`,
      heading: "À bientôt",
      brief: `${event} commence bientôt\u00a0: ${at}. Gardez vos billets à portée de main.`,
      body: [
        `${event} commence bientôt\u00a0: ${when}.`,
        isGiven
          ? count(tickets, {
              one: "Gardez votre billet à portée de main, sur papier ou à l’écran. Vous l’avez reçu par e-mail lorsqu’il vous a été cédé.",
              other:
                "Gardez vos billets à portée de main, sur papier ou à l’écran. Vous les avez reçus par e-mail lorsqu’ils vous ont été cédés."
            })
          : count(tickets, {
              one: "Gardez votre billet à portée de main, sur papier ou à l’écran. Vous l’avez reçu avec la confirmation de votre commande.",
              other:
                "Gardez vos billets à portée de main, sur papier ou à l’écran. Vous les avez reçus avec la confirmation de votre commande."
            })
      ]
    }),
    TicketReissued: ({ event, giver, label }) => ({
      subject: giver === null ? `Votre nouveau billet pour ${event}` : `Un billet pour ${event}, pour vous`,
      heading: giver === null ? "Votre nouveau billet" : "Vous avez reçu un billet",
      brief:
        giver === null
          ? `Votre billet ${label} pour ${event} a un nouveau code. L’ancien n’est plus accepté.`
          : `${giver} vous a cédé un billet pour ${event}\u00a0: ${label}.`,
      body: [
        giver === null
          ? `Votre billet ${label} pour ${event} a un nouveau code. L’ancien n’est plus accepté à l’entrée.`
          : `${giver} vous a cédé un billet pour ${event}\u00a0: ${label}. Il n’appartient qu’à vous, ses anciens codes ne sont plus acceptés à l’entrée.`,
        "Le billet est joint au format PDF. Celui qui a le code a le billet\u00a0: gardez-le pour vous."
      ]
    }),
    TicketGiven: ({ event, label, to }) => ({
      subject: `Votre billet pour ${event} appartient désormais à ${to}`,
      heading: "Un billet a été cédé",
      brief: `Le billet ${label} pour ${event} appartient désormais à ${to}. Votre code n’est plus accepté.`,
      body: [
        `Le billet ${label} pour ${event} appartient désormais à ${to} et porte un nouveau code. Le vôtre n’est plus accepté à l’entrée.`,
        "Si ce n’est pas ce que vous vouliez, contactez l’organisateur sans attendre."
      ]
    }),
    TicketReturned: ({ event, giver, tickets }) => ({
      subject: count(tickets, {
        one: `Votre billet pour ${event} n’est plus valable`,
        other: `Vos billets pour ${event} ne sont plus valables`
      }),
      heading: count(tickets, { one: "Votre billet a été rendu", other: "Vos billets ont été rendus" }),
      brief: count(tickets, {
        one: `Le billet pour ${event} que ${giver} vous a cédé a été rendu. Il n’est plus valable.`,
        other: `${tickets} billets pour ${event} que ${giver} vous a cédés ont été rendus. Ils ne sont plus valables.`
      }),
      body: [
        count(tickets, {
          one: `Le billet pour ${event} que ${giver} vous a cédé a été rendu. Son code n’est plus accepté à l’entrée.`,
          other: `${tickets} billets pour ${event} que ${giver} vous a cédés ont été rendus. Leurs codes ne sont plus acceptés à l’entrée.`
        }),
        `La somme remboursée revient à ${giver}, qui a payé la commande. Si vous ne vous y attendiez pas, adressez-vous à cette personne.`
      ]
    }),
    HoldExpiring: ({ event, until }) => ({
      subject: `Vos places pour ${event} sont réservées jusqu’au ${until}`,
      heading: "Vos places seront bientôt remises en vente",
      brief: `Vos places pour ${event} sont réservées jusqu’au ${until}.`,
      body: [
        `Vos places pour ${event} sont réservées jusqu’au ${until}. Si elles ne sont pas achetées d’ici là, elles seront remises en vente et d’autres pourront les acheter.`
      ]
    })
  }
}
