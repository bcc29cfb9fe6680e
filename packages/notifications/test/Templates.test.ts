import { assert, describe, it } from "@effect/vitest"
import { Locale } from "@onsale/contracts/notifications/Locale"
import type { Money } from "@onsale/contracts/Money"
import { topicOf } from "../src/Preferences.ts"
import { typed } from "../src/templates/Isolate.ts"
import { languages } from "../src/templates/Languages.ts"
import type { NoticeContent } from "../src/templates/NoticeContent.ts"
import { phrases } from "../src/templates/SaidOf.ts"
import { samples } from "../src/templates/Samples.ts"
import * as Sms from "../src/templates/Sms.ts"
import { maxPushBody, maxPushTitle, render } from "../src/templates/Templates.ts"
import * as Wording from "../src/Wording.ts"
import { all, hostileOf } from "./TemplateSamples.ts"

const locales = Locale.literals
const unsubscribe = "https://tickets.example/api/v1/unsubscribe/abc"

const each = (check: (content: NoticeContent, locale: Locale) => void) => {
  for (const content of all) for (const locale of locales) check(content, locale)
}

/** What a reader of the HTML sees, as text: without elements, comments and what is hidden. */
const seen = (html: string): string =>
  html
    .replace(/<(head|style|script)[\s>][\s\S]*?<\/\1>/g, "")
    .replace(/<div style="display:none[\s\S]*?<\/div>/g, "")
    .replace(/<a [^>]*href="([^"]*)"[^>]*>/g, " $1 ")
    .replace(/<bdi>/g, "\u2068")
    .replace(/<\/bdi>/g, "\u2069")
    .replace(/<[^>]+>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")

const words = (text: string): ReadonlySet<string> => new Set(text.match(/[\p{L}\p{N}]+/gu) ?? [])

/** Every amount and instant that a content has to say. */
const facts = (content: NoticeContent, locale: Locale): ReadonlyArray<string> => {
  const money = (value: Money) => Wording.amount(value, locale)
  const { timeZone } = content.event
  const always = [Wording.when(content.event.startsAt, timeZone, locale), content.event.name]
  switch (content._tag) {
    case "OrderConfirmed":
      return [
        ...always,
        money(content.order.total),
        ...content.order.tickets.slice(0, 20).flatMap(({ label, price }) => [label, money(price)]),
        ...content.gone.flatMap(({ label, price, to }) => [
          label,
          money(price),
          to === null
            ? languages[locale].labels.returned
            : languages[locale].labels.givenTo(typed(to, locale))
        ])
      ]
    case "PaymentPending":
    case "PaymentExpiring":
      return [
        ...always,
        money(content.order.total),
        Wording.whenBrief(content.payUntilMs, timeZone, locale),
        ...(content.actionUrl === null ? [] : [content.actionUrl])
      ]
    case "PaymentDeclined":
    case "OrderCancelled":
      return [...always, money(content.order.total)]
    case "Refunded":
      return [
        ...always,
        ...content.labels,
        money(content.amount),
        ...(content.fee.amount === 0 ? [] : [money(content.fee)])
      ]
    case "EventCancelled":
      return [...always, content.reason, ...(content.amount.amount === 0 ? [] : [money(content.amount)])]
    case "EventChanged":
      return content.before === null
        ? always
        : [
            ...always,
            ...(content.before.startsAt === content.event.startsAt
              ? []
              : [Wording.when(content.before.startsAt, timeZone, locale)]),
            ...(content.before.venue.name === content.event.venue.name
              ? []
              : [content.before.venue.name, content.before.venue.location]),
            ...(content.before.performers.length === content.event.performers.length
              ? []
              : content.event.performers)
          ]
    case "TicketReissued":
      return [...always, content.label]
    case "HoldExpiring":
      return [...always, Wording.whenBrief(content.expiresAtMs, timeZone, locale)]
    default:
      return always
  }
}

describe("Templates", () => {
  it("nothing is left open: no undefined, no placeholder, no empty sentence", () => {
    each((content, locale) => {
      const { html, push, sms, subject, text } = render(content, locale, { unsubscribe })
      for (const part of [subject, text, sms, push.title, push.body, seen(html)]) {
        assert.notMatch(part, /undefined|null|NaN|\[object|\$\{|\{\w+\}|Invalid Date/)
        assert.isAbove(part.trim().length, 0)
      }
      assert.notMatch(subject + sms + push.title + push.body, /[\r\n]/)
    })
  })

  it("the text and the HTML say every amount, time and label, and the same words", () => {
    each((content, locale) => {
      const { html, text } = render(content, locale, { unsubscribe })
      for (const fact of facts(content, locale)) {
        assert.include(text, fact)
        assert.include(seen(html), fact)
      }
      assert.deepStrictEqual([...words(seen(html))].sort(), [...words(text)].sort())
    })
  })

  it("what people have typed does nothing to the HTML, the direction, or a header", () => {
    each((content, locale) => {
      const { html, push, sms, subject, text } = render(hostileOf(content), locale, { unsubscribe })
      assert.notMatch(html, /<img|<script|javascript:/i)
      assert.notMatch(text, /\njavascript:/)
      for (const part of [subject, text, html, sms, push.title, push.body]) {
        assert.notMatch(part, /[\u202a-\u202e\u2066\u2067]/)
        // Every isolate is closed, and none within another.
        assert.match(part.replaceAll(/[^\u2068\u2069]/g, ""), /^(\u2068\u2069)*$/)
      }
      // A second attribute of a name is not read: what stood in it would be lost.
      for (const [tag] of html.matchAll(/<[a-z][^>]*>/g)) {
        const names = Array.from(tag.matchAll(/ ([a-z-]+)="/g), ([, name]) => name)
        assert.strictEqual(new Set(names).size, names.length, tag)
      }
      assert.strictEqual(html.split("<bdi>").length, html.split("</bdi>").length)
      for (const line of [subject, sms, push.title, push.body]) assert.notMatch(line, /[\r\n]/)
      assert.notMatch(text, /^Bcc:/m)
    })
  })

  it("Arabic is set from the right, the others from the left, and names stand apart", () => {
    each((content, locale) => {
      const { html, text } = render(content, locale)
      const dir = locale === "ar" ? "rtl" : "ltr"
      assert.include(html, `<html lang="${locale}" dir="${dir}">`)
      assert.include(html, `<body dir="${dir}"`)
      if (locale === "ar") {
        assert.include(html, `<bdi>${content.event.name}</bdi>`)
        assert.include(text, `\u2068${content.event.name}\u2069`)
        assert.notMatch(text, /[٠-٩۰-۹]/)
      } else {
        assert.strictEqual(html.includes("<bdi>"), /[\u0600-\u06ff]/.test(content.event.name))
      }
    })
  })

  it("an SMS has at most 320 characters, a push message what phones show", () => {
    each((content, locale) => {
      for (const one of [content, hostileOf(content)]) {
        const { push, sms } = render(one, locale)
        assert.isAtMost(sms.length, Sms.maxLength)
        assert.isAtMost(push.title.length, maxPushTitle)
        assert.isAtMost(push.body.length, maxPushBody)
      }
    })
  })

  it("a link that does not fit is left out of an SMS whole", () => {
    const [content] = samples.PaymentPending
    assert.include(render(content!, "en").sms, content!.actionUrl!)
    const actionUrl = `https://bank.example/${"x".repeat(400)}`
    assert.notInclude(render({ ...content!, actionUrl }, "en").sms, "https:")
    assert.include(render({ ...content!, actionUrl }, "en").text, actionUrl)
  })

  it("only what may be declined has a link to decline it", () => {
    each((content, locale) => {
      const { html, text } = render(content, locale, { unsubscribe })
      const declined = topicOf(content) !== null
      assert.strictEqual(text.includes(unsubscribe), declined)
      assert.strictEqual(html.includes(unsubscribe), declined)
    })
    assert.isNull(topicOf(samples.EventChanged[0]!))
    assert.strictEqual(topicOf(samples.EventChanged[2]!), "news")
  })

  it("whoever was given a ticket is greeted by name, and learns neither the order's number nor a price", () => {
    for (const locale of locales) {
      for (const content of all) {
        if (!("order" in content) || content.order.toHolder === undefined) continue
        const { html, push, sms, text } = render(content, locale, { unsubscribe })
        for (const part of [html, text, sms, push.title, push.body]) {
          assert.notInclude(part, content.order.orderId)
          assert.notInclude(part, "€")
        }
        assert.include(text, languages[locale].greeting(typed(content.order.toHolder, locale)))
        assert.include(text, languages[locale].because.ticket)
      }
    }
  })

  it("who gets no money is told who does", () => {
    const others = [...samples.EventCancelled, ...samples.TicketReturned].filter(
      ({ order }) => order.toHolder !== undefined
    )
    assert.strictEqual(others.length, 4)
    for (const locale of locales) {
      for (const content of others) assert.include(render(content, locale).text, content.order.holder)
    }
  })

  it("a refund of an event that does not take place says nothing of seats that are free again", () => {
    const free = { en: "seat", de: "freigegeben", fr: "remises en vente", es: "plaza", ar: "مقاعد" }
    const [before, cancelled] = [samples.Refunded[1]!, samples.Refunded[3]!]
    for (const locale of locales) {
      const said = (content: NoticeContent) => phrases(content, languages[locale], locale).body.join(" ")
      assert.include(said(before), free[locale])
      assert.notInclude(said(cancelled), free[locale])
    }
  })

  it("a buyer who gave all tickets away is told of a change that theirs are with others", () => {
    const [own, none] = [samples.EventChanged[1]!, samples.EventChanged[5]!]
    for (const locale of locales) {
      const said = (content: NoticeContent) => phrases(content, languages[locale], locale).body[1]
      assert.notStrictEqual(said(own), said(none))
    }
  })

  it("who paid and has no ticket left is told that the order is confirmed, and of no PDF", () => {
    const [, , , given, returned, some] = samples.OrderConfirmed
    for (const locale of locales) {
      const said = (content: NoticeContent) => render(content, locale).text
      for (const none of [given!, returned!]) assert.notInclude(said(none), "PDF")
      assert.notStrictEqual(
        phrases(given!, languages[locale], locale).body[1],
        phrases(returned!, languages[locale], locale).body[1]
      )
      assert.include(said(some!), "PDF")
    }
  })

  it("who was given a ticket cannot return those of the order", () => {
    for (const locale of locales) {
      const [own, given] = samples.TicketReissued
      assert.include(render(own!, locale).text, own!.order.orderId)
      const { html, push, sms, text } = render(given!, locale)
      for (const part of [html, text, sms, push.body]) assert.notInclude(part, given!.order.orderId)
      assert.include(text, given!.order.holder)
    }
  })

  it("tells the buyer the order's number, and what its tickets call it", () => {
    const { html, text } = render(samples.OrderConfirmed[0]!, "en")
    for (const part of [text, html])
      assert.match(part, /Order [0-9a-f-]{36} \(on the tickets: [A-Z2-7]{4}-[A-Z2-7]{4}\)/)
  })

  it("a large order lists some of its tickets", () => {
    assert.include(render(samples.OrderConfirmed[2]!, "en").text, "and 5 more")
  })

  it("Arabic counts in six forms", () => {
    const { event, order } = samples.OrderConfirmed[0]!
    const said = [0, 1, 2, 3, 11, 100].map(
      (count) =>
        render(
          {
            _tag: "OrderConfirmed",
            event,
            gone: [],
            order: { ...order, tickets: Array.from({ length: count }, () => order.tickets[0]!) }
          },
          "ar"
        ).push.body
    )
    for (const [i, noun] of [
      "بلا تذاكر",
      "تذكرة واحدة",
      "تذكرتان",
      "3 تذاكر",
      "11 تذكرة",
      "100 تذكرة"
    ].entries())
      assert.include(said[i], noun)
  })
})

describe("Sms", () => {
  it("counts seven-bit characters by 160 and 153, others by 70 and 67", () => {
    assert.deepStrictEqual(Sms.length("a".repeat(160)), { encoding: "GSM-7", units: 160, segments: 1 })
    assert.deepStrictEqual(Sms.length("a".repeat(161)), { encoding: "GSM-7", units: 161, segments: 2 })
    assert.deepStrictEqual(Sms.length("€".repeat(81)), { encoding: "GSM-7", units: 162, segments: 2 })
    assert.deepStrictEqual(Sms.length("م".repeat(70)), { encoding: "UCS-2", units: 70, segments: 1 })
    assert.deepStrictEqual(Sms.length("م".repeat(135)), { encoding: "UCS-2", units: 135, segments: 3 })
  })

  it("plain signs are taken where they save half, letters stay", () => {
    assert.strictEqual(Sms.lean("„Nacht“ – 49,50\u00a0€…"), '"Nacht" - 49,50 €...')
    assert.strictEqual(Sms.lean("Łódź – “x”"), "Łódź – “x”")
  })

  it("German and English fit into seven bits", () => {
    for (const locale of ["en", "de"] as const) {
      for (const content of all.filter(({ event }) => event.name === "Midnight Symphony"))
        assert.strictEqual(Sms.length(render(content, locale).sms).encoding, "GSM-7")
    }
  })
})
