/**
 * `/dev/mail/templates`: what buyers are told, by sample contents, in every language.
 *
 * | path | what |
 * |---|---|
 * | `/dev/mail/templates` | all notices |
 * | `/dev/mail/templates/{notice}` | one, with all its samples in all languages |
 * | `/dev/mail/templates/{notice}/{n}/{locale}` | the HTML of its n-th sample, from 1, for a sandboxed frame |
 */
import { Locale } from "@onsale/contracts/notifications/Locale"
import { Notice } from "@onsale/contracts/notifications/Notice"
import * as Sms from "@onsale/notifications/templates/Sms"
import { samples } from "@onsale/notifications/templates/Samples"
import { render } from "@onsale/notifications/templates/Templates"
import { Effect, Option, Record, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { frame, htmlPage, notFound } from "./DevMailAnswer.ts"
import { escape, page } from "./DevMailPages.ts"

const tags = Record.keys(Notice.cases)
const Tag = Schema.Literals(tags)

const base = "/dev/mail/templates"
const unsubscribe = "https://tickets.example/api/v1/unsubscribe/sample"

const list = () =>
  page(
    "Templates",
    `<p><a href="/dev/mail">All mail</a></p>
<h1>Templates</h1>
<p class="faint">What buyers are told, and holders whom they gave tickets to, by sample contents, in ${Locale.literals.length} languages.</p>
<table>${tags
      .map(
        (tag) =>
          `<tr><td><a href="${base}/${tag}">${tag}</a></td><td>${escape(render(samples[tag][0]!, "en").subject)}</td></tr>`
      )
      .join("\n")}</table>`
  )

const one = (tag: (typeof tags)[number]) =>
  page(
    tag,
    `<p><a href="${base}">All templates</a></p>
<h1>${tag}</h1>
${samples[tag]
  .flatMap((content, i) =>
    Locale.literals.map((locale) => {
      const { push, sms, subject, text } = render(content, locale, { unsubscribe })
      const { encoding, segments, units } = Sms.length(sms)
      const reader = "order" in content && content.order.toHolder !== undefined ? ", to a holder" : ""
      return `<h2>${i + 1}, ${locale}${reader}: <span dir="auto">${escape(subject)}</span></h2>
<iframe sandbox referrerpolicy="no-referrer" loading="lazy" src="${base}/${tag}/${i + 1}/${locale}" title="The mail as HTML"></iframe>
<details><summary>Text</summary><pre dir="auto">${escape(text)}</pre></details>
<p dir="auto">${escape(sms)}</p><p class="faint">SMS: ${encoding}, ${units} units, in ${segments}</p>
<p dir="auto"><b>${escape(push.title)}</b><br>${escape(push.body)}</p><p class="faint">Push</p>`
    })
  )
  .join("\n")}`
  )

const OnePath = Schema.Struct({ tag: Tag })
const HtmlPath = Schema.Struct({
  tag: Tag,
  index: Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100 })),
  locale: Locale
})

/** The routes; give them to the server's router. They need no mail. */
export const layer = HttpRouter.addAll([
  HttpRouter.route(
    "GET",
    base,
    Effect.sync(() => htmlPage(list()))
  ),
  HttpRouter.route(
    "GET",
    `${base}/:tag`,
    Effect.flatMap(
      Effect.option(HttpRouter.schemaPathParams(OnePath)),
      Option.match({ onNone: () => notFound, onSome: ({ tag }) => Effect.succeed(htmlPage(one(tag))) })
    )
  ),
  HttpRouter.route(
    "GET",
    `${base}/:tag/:index/:locale`,
    Effect.flatMap(
      Effect.option(HttpRouter.schemaPathParams(HtmlPath)),
      Option.match({
        onNone: () => notFound,
        onSome: ({ index, locale, tag }) => {
          const content = samples[tag][index - 1]
          return content === undefined
            ? notFound
            : Effect.succeed(frame(render(content, locale, { unsubscribe }).html))
        }
      })
    )
  )
])
