import { plural, sentences, type Words } from "../Words.ts"

const count = plural("es")

const notPaid = (acts: boolean) =>
  acts ? "Tu banco te pide que confirmes el pago." : "Estamos esperando la respuesta de tu proveedor de pago."

export const Spanish: Words = {
  greeting: (name) => `Hola, ${name}:`,
  labelled: (label, value) => `${label}: ${value}`,
  labels: {
    total: "Total",
    refund: "Reembolso",
    fee: "Gastos retenidos",
    before: "Antes",
    now: "Ahora",
    reason: "Mensaje del organizador",
    pay: "Confirmar el pago",
    givenTo: (name) => `cedida a ${name}`,
    returned: "devuelta"
  },
  more: (more) => `y ${more} más`,
  order: (orderId, reference) =>
    reference === null ? `Pedido ${orderId}` : `Pedido ${orderId} (en las entradas: ${reference})`,
  orderIsSecret: "Quien conozca este número puede devolver las entradas: no reenvíes este correo.",
  reference: (reference) => `Referencia ${reference}`,
  because: {
    order: "Recibes este mensaje porque se hizo un pedido con esta dirección.",
    ticket: "Recibes este mensaje porque se emitió una entrada para esta dirección.",
    hold: "Recibes este mensaje porque pediste que te avisáramos."
  },
  calendarNote: {
    order:
      "Ten tus entradas a mano, en papel o en una pantalla. Te llegaron con la confirmación de tu pedido.",
    ticket:
      "Ten tus entradas a mano, en papel o en una pantalla. Te llegaron por correo electrónico cuando te las cedieron."
  },
  unsubscribe: {
    reminders: "No recibir más recordatorios",
    news: "No recibir más novedades de eventos"
  },
  unsubscribePage: {
    ask: {
      reminders: "¿Quieres dejar de recibir recordatorios de eventos?",
      news: "¿Quieres dejar de recibir novedades de eventos?"
    },
    done: {
      reminders: "Ya no recibirás recordatorios por correo.",
      news: "Ya no recibirás novedades de eventos por correo."
    },
    stays: "Seguirás recibiendo tus entradas y los avisos sobre pagos y cambios de hora o lugar.",
    refused: "Este enlace no es válido. Usa el enlace completo, tal como aparece en el mensaje."
  },
  notices: {
    OrderConfirmed: ({ at, event, isReturned, tickets, when }) =>
      tickets === 0
        ? {
            subject: `Tu pedido para ${event} está confirmado`,
            heading: "Tu pedido está confirmado",
            brief: `Tu pedido para ${event} (${at}) está confirmado. Ya no tienes ninguna de sus entradas.`,
            body: [
              `Gracias por tu pedido para ${event}, ${when}. Está confirmado.`,
              isReturned
                ? "Ya no tienes ninguna de sus entradas: cada una se cedió a otra persona o se devolvió, como se indica abajo."
                : "Ya no tienes ninguna de sus entradas: cediste cada una a otra persona, como se indica abajo. Esas personas las reciben."
            ]
          }
        : {
            subject: count(tickets, {
              one: `Tu entrada para ${event}`,
              other: `Tus ${tickets} entradas para ${event}`
            }),
            heading: count(tickets, { one: "Aquí tienes tu entrada", other: "Aquí tienes tus entradas" }),
            brief: count(tickets, {
              one: `Tu entrada para ${event} (${at}) está en tu correo.`,
              other: `Tus ${tickets} entradas para ${event} (${at}) están en tu correo.`
            }),
            body: [
              count(tickets, {
                one: `Gracias por tu pedido. Aquí tienes tu entrada para ${event}, ${when}.`,
                other: `Gracias por tu pedido. Aquí tienes tus ${tickets} entradas para ${event}, ${when}.`
              }),
              count(tickets, {
                one: "Va adjunta en PDF. Muestra su código en la puerta, en papel o en una pantalla.",
                other:
                  "Van adjuntas en PDF. Muestra el código de cada una en la puerta, en papel o en una pantalla."
              }),
              "Quien tiene el código tiene la entrada: no lo compartas."
            ]
          },
    PaymentPending: ({ acts, amount, event, until }) => ({
      subject: `Tu pago para ${event} aún no se ha completado`,
      heading: "Tu pago aún no se ha completado",
      brief: `Tu pago de ${amount} para ${event} no se ha completado. Tus plazas están reservadas hasta el ${until}.`,
      body: [
        `Tus plazas para ${event} están reservadas. ${notPaid(acts)} El importe es de ${amount}.`,
        `Si el pago no se completa antes del ${until}, las plazas quedarán libres. Si el dinero llega más tarde, recibirás las mismas plazas si siguen libres; si no, te lo devolveremos.`
      ]
    }),
    PaymentExpiring: ({ acts, amount, event, until }) => ({
      subject: `Tus plazas para ${event} están reservadas hasta el ${until}`,
      heading: "Tus plazas quedarán libres pronto",
      brief: `Tu pago de ${amount} para ${event} sigue pendiente. Tus plazas quedarán libres el ${until}.`,
      body: [
        `Tu pago de ${amount} para ${event} sigue sin completarse. ${notPaid(acts)}`,
        `Tus plazas están reservadas hasta el ${until}. Después quedarán libres y otras personas podrán comprarlas.`
      ]
    }),
    PaymentDeclined: ({ amount, event }) => ({
      subject: `Tu pago para ${event} fue rechazado`,
      heading: "Tu pago fue rechazado",
      brief: `Tu pago de ${amount} para ${event} fue rechazado. No se ha cobrado nada.`,
      body: [
        `Tu pago de ${amount} para ${event} fue rechazado. No se ha cobrado nada y no tienes entradas.`,
        "Tus plazas siguen reservadas unos minutos como mucho. Hasta entonces puedes volver a intentarlo, también con otra forma de pago."
      ]
    }),
    OrderCancelled: ({ amount, event, paid }) => ({
      subject: `Tu pedido para ${event} se ha cancelado`,
      heading: "Tu pedido se ha cancelado",
      brief: paid
        ? `Tu pedido para ${event} se ha cancelado. Tu dinero (${amount}) va de camino.`
        : `Tu pedido para ${event} se ha cancelado. No se ha cobrado nada.`,
      body: sentences(
        `Tu pedido para ${event} ha terminado sin entradas y sus plazas han quedado libres.`,
        paid
          ? `El importe de ${amount} que pagaste va de camino por el mismo medio de pago. Tu banco puede tardar hasta diez días en mostrarlo.`
          : "No se ha cobrado nada."
      )
    }),
    Refunded: ({ amount, event, fee, isEventCancelled, tickets, whole }) => ({
      subject: amount === null ? `Tu devolución para ${event}` : `Tu reembolso para ${event}`,
      heading: amount === null ? "Tus entradas están devueltas" : "Tu dinero va de camino",
      brief:
        amount === null
          ? `Tu devolución para ${event} está completa.`
          : `Tu reembolso de ${amount} para ${event} va de camino.`,
      body: sentences(
        isEventCancelled
          ? `${event} no se celebrará y tus entradas ya no son válidas.`
          : whole
            ? `Se han devuelto todas las entradas de tu pedido para ${event}. Ya no son válidas y sus plazas han quedado libres.`
            : count(tickets, {
                one: `Se ha devuelto una entrada de tu pedido para ${event}. Ya no es válida y su plaza ha quedado libre. Tus demás entradas siguen siendo válidas.`,
                other: `Se han devuelto ${tickets} entradas de tu pedido para ${event}. Ya no son válidas y sus plazas han quedado libres. Tus demás entradas siguen siendo válidas.`
              }),
        amount !== null &&
          `El reembolso de ${amount} va de camino por el mismo medio de pago. Tu banco puede tardar hasta diez días en mostrarlo.`,
        fee !== null &&
          `Se han retenido ${fee} del precio en concepto de gastos, según las condiciones de tu compra.`,
        amount === null && "No hay nada que reembolsar."
      )
    }),
    EventChanged: ({ change, event, isBeforeKnown, tickets, when }) => ({
      subject: {
        time: `Nueva hora para ${event}`,
        place: `Nuevo lugar para ${event}`,
        timeAndPlace: `Nueva hora y nuevo lugar para ${event}`,
        other: `Novedades de ${event}`
      }[change],
      heading: {
        time: "La hora ha cambiado",
        place: "El lugar ha cambiado",
        timeAndPlace: "La hora y el lugar han cambiado",
        other: "Tu evento ha cambiado"
      }[change],
      brief: {
        time: `${event} tiene nueva hora: ${when}.`,
        place: `${event} tiene un nuevo lugar. Empieza: ${when}.`,
        timeAndPlace: `${event} tiene nueva hora y nuevo lugar: ${when}.`,
        other: `El organizador ha cambiado datos de ${event}.`
      }[change],
      body: [
        isBeforeKnown
          ? `El organizador ha cambiado datos de ${event}. Abajo ves lo que valía antes y lo que vale ahora.`
          : `El organizador ha cambiado datos de ${event}. Abajo ves lo que vale ahora.`,
        tickets === 0
          ? "Las entradas que cediste a otras personas siguen siendo válidas. También se avisa a quienes las tienen."
          : "Tus entradas siguen siendo válidas."
      ]
    }),
    EventCancelled: ({ amount, event, giver, tickets, when }) => ({
      subject: `${event} se ha cancelado`,
      heading: "El evento se ha cancelado",
      brief:
        amount === null
          ? `${event} se ha cancelado.`
          : `${event} se ha cancelado. Tu dinero (${amount}) va de camino.`,
      body: sentences(
        giver === null
          ? `Lo sentimos: ${event}, ${when}, no se celebrará. Tus entradas ya no son válidas.`
          : count(tickets, {
              one: `Lo sentimos: ${event}, ${when}, no se celebrará. La entrada que te cedió ${giver} ya no es válida.`,
              other: `Lo sentimos: ${event}, ${when}, no se celebrará. Las entradas que te cedió ${giver} ya no son válidas.`
            }),
        giver !== null && `El dinero vuelve a ${giver}, que hizo el pago. No tienes que hacer nada.`,
        amount !== null &&
          `El importe de ${amount} que pagaste va de camino por el mismo medio de pago. No tienes que hacer nada. Tu banco puede tardar hasta diez días en mostrarlo.`
      )
    }),
    EventReminder: ({ at, event, isGiven, tickets, when }) => ({
      subject: `Muy pronto: ${event}`,
      heading: "Nos vemos pronto",
      brief: `${event} empieza pronto: ${at}. Ten tus entradas a mano.`,
      body: [
        `${event} empieza pronto: ${when}.`,
        isGiven
          ? count(tickets, {
              one: "Ten tu entrada a mano, en papel o en una pantalla. Te llegó por correo electrónico cuando te la cedieron.",
              other:
                "Ten tus entradas a mano, en papel o en una pantalla. Te llegaron por correo electrónico cuando te las cedieron."
            })
          : count(tickets, {
              one: "Ten tu entrada a mano, en papel o en una pantalla. Te llegó con la confirmación de tu pedido.",
              other:
                "Ten tus entradas a mano, en papel o en una pantalla. Te llegaron con la confirmación de tu pedido."
            })
      ]
    }),
    TicketReissued: ({ event, giver, label }) => ({
      subject: giver === null ? `Tu nueva entrada para ${event}` : `Una entrada para ${event}, para ti`,
      heading: giver === null ? "Tu nueva entrada" : "Has recibido una entrada",
      brief:
        giver === null
          ? `Tu entrada ${label} para ${event} tiene un código nuevo. El anterior ya no se acepta.`
          : `${giver} te ha cedido una entrada para ${event}: ${label}.`,
      body: [
        giver === null
          ? `Tu entrada ${label} para ${event} tiene un código nuevo. El anterior ya no se acepta en la puerta.`
          : `${giver} te ha cedido una entrada para ${event}: ${label}. Es solo tuya, sus códigos anteriores ya no se aceptan en la puerta.`,
        "La entrada va adjunta en PDF. Quien tiene el código tiene la entrada: no lo compartas."
      ]
    }),
    TicketGiven: ({ event, label, to }) => ({
      subject: `Tu entrada para ${event} ahora es de ${to}`,
      heading: "Una entrada ha cambiado de manos",
      brief: `La entrada ${label} para ${event} ahora es de ${to}. Tu código ya no se acepta.`,
      body: [
        `La entrada ${label} para ${event} ahora es de ${to} y tiene un código nuevo. El tuyo ya no se acepta en la puerta.`,
        "Si no es lo que querías, ponte en contacto con el organizador cuanto antes."
      ]
    }),
    TicketReturned: ({ event, giver, tickets }) => ({
      subject: count(tickets, {
        one: `Tu entrada para ${event} ya no es válida`,
        other: `Tus entradas para ${event} ya no son válidas`
      }),
      heading: count(tickets, { one: "Se ha devuelto tu entrada", other: "Se han devuelto tus entradas" }),
      brief: count(tickets, {
        one: `Se ha devuelto la entrada para ${event} que te cedió ${giver}. Ya no es válida.`,
        other: `Se han devuelto ${tickets} entradas para ${event} que te cedió ${giver}. Ya no son válidas.`
      }),
      body: [
        count(tickets, {
          one: `Se ha devuelto la entrada para ${event} que te cedió ${giver}. Su código ya no se acepta en la puerta.`,
          other: `Se han devuelto ${tickets} entradas para ${event} que te cedió ${giver}. Sus códigos ya no se aceptan en la puerta.`
        }),
        `Lo que se reembolsa vuelve a ${giver}, que hizo el pago. Si no lo esperabas, pregunta a esa persona.`
      ]
    }),
    HoldExpiring: ({ event, until }) => ({
      subject: `Tus plazas para ${event} están reservadas hasta el ${until}`,
      heading: "Tus plazas quedarán libres pronto",
      brief: `Tus plazas para ${event} están reservadas hasta el ${until}.`,
      body: [
        `Tus plazas para ${event} están reservadas hasta el ${until}. Si no se compran antes, quedarán libres y otras personas podrán comprarlas.`
      ]
    })
  }
}
