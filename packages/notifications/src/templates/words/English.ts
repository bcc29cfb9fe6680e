import { plural, sentences, type Words } from "../Words.ts"

const count = plural("en")

const notPaid = (acts: boolean) =>
  acts ? "Your bank wants you to confirm the payment." : "We are waiting for your payment provider."

export const English: Words = {
  greeting: (name) => `Hello ${name},`,
  labelled: (label, value) => `${label}: ${value}`,
  labels: {
    total: "Total",
    refund: "Refund",
    fee: "Fee kept",
    before: "Before",
    now: "Now",
    reason: "The organiser says",
    pay: "Confirm the payment",
    givenTo: (name) => `given to ${name}`,
    returned: "returned"
  },
  more: (more) => `and ${more} more`,
  order: (orderId, reference) =>
    reference === null ? `Order ${orderId}` : `Order ${orderId} (on the tickets: ${reference})`,
  orderIsSecret: "Whoever has this number can return the tickets: do not pass this mail on.",
  reference: (reference) => `Reference ${reference}`,
  because: {
    order: "You get this message because of an order that was placed with this address.",
    ticket: "You get this message because a ticket was made out to this address.",
    hold: "You get this message because you asked to be told."
  },
  calendarNote: {
    order:
      "Have your tickets at hand, on paper or on a screen. They came with the confirmation of your order.",
    ticket:
      "Have your tickets at hand, on paper or on a screen. They came by e-mail when they were given to you."
  },
  unsubscribe: { reminders: "No more reminders", news: "No more news of events" },
  unsubscribePage: {
    ask: {
      reminders: "Do you want no more reminders of events?",
      news: "Do you want no more news of events?"
    },
    done: {
      reminders: "You will get no more reminders by e-mail.",
      news: "You will get no more news of events by e-mail."
    },
    stays: "Tickets, payments and changes of time or place still reach you.",
    refused: "This link does not hold. Please use the whole link as it stands in the message."
  },
  notices: {
    OrderConfirmed: ({ at, event, isReturned, tickets, when }) =>
      tickets === 0
        ? {
            subject: `Your order for ${event} is confirmed`,
            heading: "Your order is confirmed",
            brief: `Your order for ${event} (${at}) is confirmed. You have none of its tickets any more.`,
            body: [
              `Thank you for your order for ${event}, ${when}. It is confirmed.`,
              isReturned
                ? "You have none of its tickets any more: each was given to somebody else or returned, as listed below."
                : "You have none of its tickets any more: you gave each to somebody else, as listed below. They are sent to those people."
            ]
          }
        : {
            subject: count(tickets, {
              one: `Your ticket for ${event}`,
              other: `Your ${tickets} tickets for ${event}`
            }),
            heading: count(tickets, { one: "Your ticket is here", other: "Your tickets are here" }),
            brief: count(tickets, {
              one: `Your ticket for ${event} (${at}) is in your e-mail.`,
              other: `Your ${tickets} tickets for ${event} (${at}) are in your e-mail.`
            }),
            body: [
              count(tickets, {
                one: `Thank you for your order. Here is your ticket for ${event}, ${when}.`,
                other: `Thank you for your order. Here are your ${tickets} tickets for ${event}, ${when}.`
              }),
              count(tickets, {
                one: "It is attached as a PDF. Show its code at the door, on paper or on a screen.",
                other:
                  "They are attached as a PDF. Show the code of each at the door, on paper or on a screen."
              }),
              "Whoever has the code has the ticket: keep it to yourself."
            ]
          },
    PaymentPending: ({ acts, amount, event, until }) => ({
      subject: `Your payment for ${event} is not complete yet`,
      heading: "Your payment is not complete yet",
      brief: `Your payment of ${amount} for ${event} is not complete. Your seats are kept until ${until}.`,
      body: [
        `Your seats for ${event} are kept for you. ${notPaid(acts)} The amount is ${amount}.`,
        `If the payment is not complete by ${until}, the seats are given up. Money that comes later buys the same seats if they are still free; if not, it goes back to you.`
      ]
    }),
    PaymentExpiring: ({ acts, amount, event, until }) => ({
      subject: `Your seats for ${event} are kept until ${until}`,
      heading: "Your seats are given up soon",
      brief: `Your payment of ${amount} for ${event} is still open. Your seats are kept until ${until}, then given up.`,
      body: [
        `Your payment of ${amount} for ${event} is still not complete. ${notPaid(acts)}`,
        `Your seats are kept until ${until}. Then they are given up, and others can buy them.`
      ]
    }),
    PaymentDeclined: ({ amount, event }) => ({
      subject: `Your payment for ${event} was declined`,
      heading: "Your payment was declined",
      brief: `Your payment of ${amount} for ${event} was declined. Nothing was charged.`,
      body: [
        `Your payment of ${amount} for ${event} was declined. Nothing was charged, and you have no tickets.`,
        "Your seats are kept for a few more minutes at most. Until then you can try again, with another way to pay too."
      ]
    }),
    OrderCancelled: ({ amount, event, paid }) => ({
      subject: `Your order for ${event} was cancelled`,
      heading: "Your order was cancelled",
      brief: paid
        ? `Your order for ${event} was cancelled. Your ${amount} is on its way back to you.`
        : `Your order for ${event} was cancelled. Nothing was charged.`,
      body: sentences(
        `Your order for ${event} has ended without tickets, and its seats are given up.`,
        paid
          ? `The ${amount} that you paid is on its way back, the way you paid. Your bank may take up to ten days to show it.`
          : "Nothing was charged."
      )
    }),
    Refunded: ({ amount, event, fee, isEventCancelled, tickets, whole }) => ({
      subject: amount === null ? `Your return for ${event}` : `Your refund for ${event}`,
      heading: amount === null ? "Your tickets are returned" : "Your money is on its way",
      brief:
        amount === null
          ? `Your return for ${event} is complete.`
          : `${amount} for ${event} is on its way back to you.`,
      body: sentences(
        isEventCancelled
          ? `${event} does not take place, and your tickets for it are not valid any more.`
          : whole
            ? `All tickets of your order for ${event} are returned. They are not valid any more, and their seats are given up.`
            : count(tickets, {
                one: `One ticket of your order for ${event} is returned. It is not valid any more, and its seat is given up. Your other tickets stay valid.`,
                other: `${tickets} tickets of your order for ${event} are returned. They are not valid any more, and their seats are given up. Your other tickets stay valid.`
              }),
        amount !== null &&
          `${amount} is on its way back, the way you paid. Your bank may take up to ten days to show it.`,
        fee !== null && `A fee of ${fee} was kept of the price, by the terms of your purchase.`,
        amount === null && "There is nothing to pay back."
      )
    }),
    EventChanged: ({ change, event, isBeforeKnown, tickets, when }) => ({
      subject: {
        time: `New time for ${event}`,
        place: `New place for ${event}`,
        timeAndPlace: `New time and place for ${event}`,
        other: `What is new about ${event}`
      }[change],
      heading: {
        time: "The time has changed",
        place: "The place has changed",
        timeAndPlace: "Time and place have changed",
        other: "Your event has changed"
      }[change],
      brief: {
        time: `${event} has a new time: ${when}.`,
        place: `${event} has a new place. It begins ${when}.`,
        timeAndPlace: `${event} has a new time and place: ${when}.`,
        other: `The organiser has changed something about ${event}.`
      }[change],
      body: [
        isBeforeKnown
          ? `The organiser has changed ${event}. Below you see what was, and what holds now.`
          : `The organiser has changed ${event}. Below you see what holds now.`,
        tickets === 0
          ? "The tickets that you gave to others stay valid. Whoever has them is told as well."
          : "Your tickets stay valid."
      ]
    }),
    EventCancelled: ({ amount, event, giver, tickets, when }) => ({
      subject: `${event} is cancelled`,
      heading: "The event is cancelled",
      brief:
        amount === null
          ? `${event} is cancelled.`
          : `${event} is cancelled. Your ${amount} is on its way back to you.`,
      body: sentences(
        giver === null
          ? `We are sorry: ${event}, ${when}, does not take place. Your tickets are not valid any more.`
          : count(tickets, {
              one: `We are sorry: ${event}, ${when}, does not take place. The ticket that ${giver} gave you is not valid any more.`,
              other: `We are sorry: ${event}, ${when}, does not take place. The tickets that ${giver} gave you are not valid any more.`
            }),
        giver !== null &&
          `What was paid goes back to ${giver}, who bought them. You do not have to do anything.`,
        amount !== null &&
          `The ${amount} that you paid is on its way back, the way you paid. You do not have to do anything. Your bank may take up to ten days to show it.`
      )
    }),
    EventReminder: ({ at, event, isGiven, tickets, when }) => ({
      subject: `Soon: ${event}`,
      heading: "See you soon",
      brief: `${event} begins soon: ${at}. Have your tickets at hand.`,
      body: [
        `${event} begins soon: ${when}.`,
        isGiven
          ? count(tickets, {
              one: "Have your ticket at hand, on paper or on a screen. It came by e-mail when it was given to you.",
              other:
                "Have your tickets at hand, on paper or on a screen. They came by e-mail when they were given to you."
            })
          : count(tickets, {
              one: "Have your ticket at hand, on paper or on a screen. It came with the confirmation of your order.",
              other:
                "Have your tickets at hand, on paper or on a screen. They came with the confirmation of your order."
            })
      ]
    }),
    TicketReissued: ({ event, giver, label }) => ({
      subject: giver === null ? `Your new ticket for ${event}` : `A ticket for ${event}, for you`,
      heading: giver === null ? "Your new ticket" : "You were given a ticket",
      brief:
        giver === null
          ? `Your ticket ${label} for ${event} has a new code. The old one is not accepted any more.`
          : `${giver} has given you a ticket for ${event}: ${label}.`,
      body: [
        giver === null
          ? `Your ticket ${label} for ${event} has a new code. The old one is not accepted at the door any more.`
          : `${giver} has given you a ticket for ${event}: ${label}. It is yours alone, older codes of it are not accepted at the door any more.`,
        "The ticket is attached as a PDF. Whoever has the code has the ticket: keep it to yourself."
      ]
    }),
    TicketGiven: ({ event, label, to }) => ({
      subject: `Your ticket for ${event} now belongs to ${to}`,
      heading: "A ticket has changed hands",
      brief: `The ticket ${label} for ${event} now belongs to ${to}. Your code for it is not accepted any more.`,
      body: [
        `The ticket ${label} for ${event} now belongs to ${to}, who has a new code for it. Yours is not accepted at the door any more.`,
        "If this is not what you wanted, write to the organiser at once."
      ]
    }),
    TicketReturned: ({ event, giver, tickets }) => ({
      subject: count(tickets, {
        one: `Your ticket for ${event} is not valid any more`,
        other: `Your tickets for ${event} are not valid any more`
      }),
      heading: count(tickets, { one: "Your ticket was returned", other: "Your tickets were returned" }),
      brief: count(tickets, {
        one: `The ticket for ${event} that ${giver} gave you was returned. It is not valid any more.`,
        other: `${tickets} tickets for ${event} that ${giver} gave you were returned. They are not valid any more.`
      }),
      body: [
        count(tickets, {
          one: `The ticket for ${event} that ${giver} gave you was returned. Its code is not accepted at the door any more.`,
          other: `${tickets} tickets for ${event} that ${giver} gave you were returned. Their codes are not accepted at the door any more.`
        }),
        `What is paid back goes to ${giver}, who paid. If you did not expect this, please ask there.`
      ]
    }),
    HoldExpiring: ({ event, until }) => ({
      subject: `Your seats for ${event} are held until ${until}`,
      heading: "Your seats are given up soon",
      brief: `Your seats for ${event} are held until ${until}.`,
      body: [
        `Your seats for ${event} are held until ${until}. If they are not bought by then, they are given up, and others can buy them.`
      ]
    })
  }
}
