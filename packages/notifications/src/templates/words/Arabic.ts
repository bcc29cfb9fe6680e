import { plural, sentences, type Words } from "../Words.ts"

const count = plural("ar")

/** "3 تذاكر": the noun changes with the number, and one and two are words of their own. */
const ticketCount = (tickets: number) =>
  count(tickets, {
    zero: "بلا تذاكر",
    one: "تذكرة واحدة",
    two: "تذكرتان",
    few: `${tickets} تذاكر`,
    many: `${tickets} تذكرة`,
    other: `${tickets} تذكرة`
  })

const notPaid = (acts: boolean) =>
  acts ? "يطلب منك مصرفك تأكيد الدفع." : "ما زلنا ننتظر رد مزوّد خدمة الدفع."

const bankDelay = "قد يستغرق ظهور المبلغ في حسابك المصرفي مدة تصل إلى عشرة أيام."

export const Arabic: Words = {
  greeting: (name) => `مرحبًا ${name}،`,
  labelled: (label, value) => `${label}: ${value}`,
  labels: {
    total: "المجموع",
    refund: "المبلغ المسترد",
    fee: "الرسوم المقتطعة",
    before: "سابقًا",
    now: "الآن",
    reason: "رسالة من المنظّم",
    pay: "تأكيد الدفع"
  },
  more: (more) =>
    count(more, {
      zero: "ولا تذاكر أخرى",
      one: "وتذكرة أخرى",
      two: "وتذكرتان أخريان",
      few: `و${more} تذاكر أخرى`,
      many: `و${more} تذكرة أخرى`,
      other: `و${more} تذكرة أخرى`
    }),
  order: (orderId, reference) =>
    reference === null ? `الطلب ${orderId}` : `الطلب ${orderId} (على التذاكر: ${reference})`,
  orderIsSecret: "كل من يعرف هذا الرقم يستطيع إرجاع التذاكر، فلا تُعد توجيه هذه الرسالة إلى أحد.",
  reference: (reference) => `المرجع ${reference}`,
  because: {
    order: "وصلتك هذه الرسالة لأن طلبًا أُجري بهذا العنوان.",
    ticket: "وصلتك هذه الرسالة لأن تذكرة صدرت لهذا العنوان.",
    hold: "وصلتك هذه الرسالة لأنك طلبت إعلامك."
  },
  calendarNote: "جهّز تذاكرك، على الورق أو على الشاشة. وصلتك مع تأكيد طلبك.",
  unsubscribe: {
    reminders: "إيقاف رسائل التذكير",
    news: "إيقاف أخبار الفعاليات"
  },
  unsubscribePage: {
    ask: { reminders: "هل تريد إيقاف رسائل التذكير بالفعاليات؟", news: "هل تريد إيقاف أخبار الفعاليات؟" },
    done: {
      reminders: "لن تصلك رسائل تذكير بالبريد الإلكتروني بعد الآن.",
      news: "لن تصلك أخبار الفعاليات بالبريد الإلكتروني بعد الآن."
    },
    stays: "ستظل تصلك التذاكر والرسائل المتعلقة بالدفع وبتغيير الموعد أو المكان.",
    refused: "هذا الرابط غير صالح. استخدم الرابط كاملًا كما ورد في الرسالة."
  },
  notices: {
    OrderConfirmed: ({ at, event, tickets, when }) => ({
      subject: count(tickets, {
        zero: `تذاكرك لحضور ${event}`,
        one: `تذكرتك لحضور ${event}`,
        two: `تذكرتاك لحضور ${event}`,
        few: `تذاكرك لحضور ${event} (${ticketCount(tickets)})`,
        many: `تذاكرك لحضور ${event} (${ticketCount(tickets)})`,
        other: `تذاكرك لحضور ${event} (${ticketCount(tickets)})`
      }),
      heading: count(tickets, {
        zero: "تذاكرك جاهزة",
        one: "تذكرتك جاهزة",
        two: "تذكرتاك جاهزتان",
        few: "تذاكرك جاهزة",
        many: "تذاكرك جاهزة",
        other: "تذاكرك جاهزة"
      }),
      brief: `وصلك في بريدك الإلكتروني: ${ticketCount(tickets)} لحضور ${event} (${at}).`,
      body: [
        `شكرًا لطلبك. مرفق بهذه الرسالة: ${ticketCount(tickets)} لحضور ${event}، ${when}.`,
        count(tickets, {
          zero: "اعرض الرمز عند المدخل، على الورق أو على الشاشة.",
          one: "التذكرة مرفقة بصيغة PDF. اعرض رمزها عند المدخل، على الورق أو على الشاشة.",
          two: "التذكرتان مرفقتان بصيغة PDF. اعرض رمز كل منهما عند المدخل، على الورق أو على الشاشة.",
          few: "التذاكر مرفقة بصيغة PDF. اعرض رمز كل تذكرة عند المدخل، على الورق أو على الشاشة.",
          many: "التذاكر مرفقة بصيغة PDF. اعرض رمز كل تذكرة عند المدخل، على الورق أو على الشاشة.",
          other: "التذاكر مرفقة بصيغة PDF. اعرض رمز كل تذكرة عند المدخل، على الورق أو على الشاشة."
        }),
        "من يملك الرمز يملك التذكرة، فاحتفظ به لنفسك."
      ]
    }),
    PaymentPending: ({ acts, amount, event, until }) => ({
      subject: `لم يكتمل بعد دفع ثمن ${event}`,
      heading: "لم يكتمل الدفع بعد",
      brief: `لم يكتمل دفع ${amount} مقابل ${event}. مقاعدك محجوزة حتى ${until}.`,
      body: [
        `مقاعدك لحضور ${event} محجوزة لك. ${notPaid(acts)} المبلغ هو ${amount}.`,
        `إذا لم يكتمل الدفع قبل ${until} فستُتاح المقاعد لغيرك. وإذا وصل المبلغ بعد ذلك فستحصل على المقاعد نفسها إن بقيت متاحة، وإلا فسيُعاد إليك.`
      ]
    }),
    PaymentExpiring: ({ acts, amount, event, until }) => ({
      subject: `مقاعدك لحضور ${event} محجوزة حتى ${until}`,
      heading: "ستُتاح مقاعدك لغيرك قريبًا",
      brief: `لم يكتمل بعد دفع ${amount} مقابل ${event}. مقاعدك محجوزة حتى ${until} فقط.`,
      body: [
        `لم يكتمل بعد دفع ${amount} مقابل ${event}. ${notPaid(acts)}`,
        `مقاعدك محجوزة حتى ${until}. بعد ذلك ستُتاح لغيرك ويمكن للآخرين شراؤها.`
      ]
    }),
    PaymentDeclined: ({ amount, event }) => ({
      subject: `رُفض دفع ثمن ${event}`,
      heading: "رُفضت عملية الدفع",
      brief: `رُفض دفع ${amount} مقابل ${event}. لم يُخصم منك شيء.`,
      body: [
        `رُفض دفع ${amount} مقابل ${event}. لم يُخصم منك شيء، وليست لديك تذاكر.`,
        "تبقى مقاعدك محجوزة بضع دقائق على الأكثر. يمكنك حتى ذلك الحين المحاولة مرة أخرى، وبطريقة دفع أخرى أيضًا."
      ]
    }),
    OrderCancelled: ({ amount, event, paid }) => ({
      subject: `أُلغي طلبك لحضور ${event}`,
      heading: "أُلغي طلبك",
      brief: paid
        ? `أُلغي طلبك لحضور ${event}. المبلغ ${amount} في طريقه إليك.`
        : `أُلغي طلبك لحضور ${event}. لم يُخصم منك شيء.`,
      body: sentences(
        `انتهى طلبك لحضور ${event} بلا تذاكر، وأصبحت مقاعده متاحة لغيرك.`,
        paid
          ? `المبلغ الذي دفعته، ${amount}، في طريقه إليك بطريقة الدفع نفسها. ${bankDelay}`
          : "لم يُخصم منك شيء."
      )
    }),
    Refunded: ({ amount, event, fee, tickets, whole }) => ({
      subject: amount === null ? `إرجاع تذاكر ${event}` : `استرداد ثمن تذاكر ${event}`,
      heading: amount === null ? "أُرجعت تذاكرك" : "أموالك في طريقها إليك",
      brief: amount === null ? `اكتمل إرجاع تذاكر ${event}.` : `المبلغ ${amount} عن ${event} في طريقه إليك.`,
      body: sentences(
        whole
          ? `أُرجعت جميع تذاكر طلبك لحضور ${event}. لم تعد صالحة، وأصبحت مقاعدها متاحة لغيرك.`
          : `التذاكر المُرجعة من طلبك لحضور ${event}: ${ticketCount(tickets)}. لم تعد صالحة، وأصبحت مقاعدها متاحة لغيرك. وتبقى تذاكرك الأخرى صالحة.`,
        amount !== null && `المبلغ ${amount} في طريقه إليك بطريقة الدفع نفسها. ${bankDelay}`,
        fee !== null && `اقتُطعت من الثمن رسوم قدرها ${fee} وفق شروط الشراء.`,
        amount === null && "لا يوجد مبلغ لإعادته."
      )
    }),
    EventChanged: ({ change, event, isBeforeKnown, when }) => ({
      subject: {
        time: `موعد جديد: ${event}`,
        place: `مكان جديد: ${event}`,
        timeAndPlace: `موعد ومكان جديدان: ${event}`,
        other: `مستجدات ${event}`
      }[change],
      heading: {
        time: "تغيّر الموعد",
        place: "تغيّر المكان",
        timeAndPlace: "تغيّر الموعد والمكان",
        other: "تغيّرت تفاصيل الفعالية"
      }[change],
      brief: {
        time: `تغيّر موعد ${event}: ${when}.`,
        place: `تغيّر مكان ${event}. الموعد: ${when}.`,
        timeAndPlace: `تغيّر موعد ومكان ${event}: ${when}.`,
        other: `غيّر المنظّم بعض تفاصيل ${event}.`
      }[change],
      body: [
        isBeforeKnown
          ? `غيّر المنظّم بعض تفاصيل ${event}. تجد أدناه ما كان مقررًا سابقًا وما هو مقرر الآن.`
          : `غيّر المنظّم بعض تفاصيل ${event}. تجد أدناه ما هو مقرر الآن.`,
        "تبقى تذاكرك صالحة."
      ]
    }),
    EventCancelled: ({ amount, event, when }) => ({
      subject: `أُلغيت فعالية ${event}`,
      heading: "أُلغيت الفعالية",
      brief:
        amount === null ? `أُلغيت فعالية ${event}.` : `أُلغيت فعالية ${event}. المبلغ ${amount} في طريقه إليك.`,
      body: sentences(
        `نأسف لإبلاغك أن فعالية ${event}، ${when}، لن تُقام. لم تعد تذاكرك صالحة.`,
        amount !== null &&
          `المبلغ الذي دفعته، ${amount}، في طريقه إليك بطريقة الدفع نفسها. ليس عليك فعل شيء. ${bankDelay}`
      )
    }),
    EventReminder: ({ at, event, tickets, when }) => ({
      subject: `قريبًا: ${event}`,
      heading: "نراك قريبًا",
      brief: `تبدأ فعالية ${event} قريبًا: ${at}. جهّز تذاكرك.`,
      body: [
        `تبدأ فعالية ${event} قريبًا: ${when}.`,
        count(tickets, {
          zero: "جهّز تذاكرك، على الورق أو على الشاشة.",
          one: "جهّز تذكرتك، على الورق أو على الشاشة. وصلتك مع تأكيد طلبك.",
          two: "جهّز تذكرتيك، على الورق أو على الشاشة. وصلتاك مع تأكيد طلبك.",
          few: "جهّز تذاكرك، على الورق أو على الشاشة. وصلتك مع تأكيد طلبك.",
          many: "جهّز تذاكرك، على الورق أو على الشاشة. وصلتك مع تأكيد طلبك.",
          other: "جهّز تذاكرك، على الورق أو على الشاشة. وصلتك مع تأكيد طلبك."
        })
      ]
    }),
    TicketReissued: ({ event, giver, label }) => ({
      subject: giver === null ? `تذكرتك الجديدة لحضور ${event}` : `تذكرة لك لحضور ${event}`,
      heading: giver === null ? "تذكرتك الجديدة" : "حصلت على تذكرة",
      brief:
        giver === null
          ? `لتذكرتك ${label} لحضور ${event} رمز جديد. الرمز القديم لم يعد مقبولًا.`
          : `تنازل لك ${giver} عن تذكرة لحضور ${event}: ${label}.`,
      body: [
        giver === null
          ? `لتذكرتك ${label} لحضور ${event} رمز جديد. الرمز القديم لم يعد مقبولًا عند المدخل.`
          : `تنازل لك ${giver} عن تذكرة لحضور ${event}: ${label}. هي لك وحدك، ورموزها القديمة لم تعد مقبولة عند المدخل.`,
        "التذكرة مرفقة بصيغة PDF. من يملك الرمز يملك التذكرة، فاحتفظ به لنفسك."
      ]
    }),
    TicketGiven: ({ event, label, to }) => ({
      subject: `انتقلت تذكرتك لحضور ${event} إلى ${to}`,
      heading: "انتقلت تذكرة إلى شخص آخر",
      brief: `انتقلت التذكرة ${label} لحضور ${event} إلى ${to}. رمزك القديم لم يعد مقبولًا.`,
      body: [
        `انتقلت التذكرة ${label} لحضور ${event} إلى ${to}، ولها رمز جديد. رمزك القديم لم يعد مقبولًا عند المدخل.`,
        "إذا لم يكن هذا ما أردته فتواصل مع المنظّم فورًا."
      ]
    }),
    HoldExpiring: ({ event, until }) => ({
      subject: `مقاعدك لحضور ${event} محجوزة حتى ${until}`,
      heading: "ستُتاح مقاعدك لغيرك قريبًا",
      brief: `مقاعدك لحضور ${event} محجوزة حتى ${until}.`,
      body: [
        `مقاعدك لحضور ${event} محجوزة حتى ${until}. إذا لم تُشترَ حتى ذلك الحين فستُتاح لغيرك ويمكن للآخرين شراؤها.`
      ]
    })
  }
}
