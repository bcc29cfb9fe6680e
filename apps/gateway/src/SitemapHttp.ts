/** `/sitemap.xml` and `/robots.txt`: where search engines find the events. */
import { PublicEvents } from "@onsale/catalog/PublicEvents"
import { Api } from "@onsale/contracts/http/Api"
import { Cache, Clock, Duration, Effect, Exit } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as Admission from "./Admission.ts"
import { PublicUrl } from "./PublicUrl.ts"
import * as SitemapText from "./SitemapText.ts"

/** Crawlers come every few hours at the most; what they find may be as old as this. */
const keptFor = Duration.minutes(10)
/** The index and some pages: a crawler reads one after the other. At most some 15 MB each. */
const kept = 5
/** A page of 50,000 events takes tenths of a second: few at a time, and one for all who want the same. */
const places = 8

const theIndex = -1

const answer = (text: string) =>
  HttpServerResponse.text(text, {
    contentType: "application/xml; charset=utf-8",
    headers: { "cache-control": `public, max-age=${Duration.toSeconds(keptFor)}` }
  })

export const layer = HttpApiBuilder.group(
  Api,
  "sitemap",
  Effect.fn(function* (handlers) {
    const events = yield* PublicEvents
    const publicUrl = yield* PublicUrl
    const admit = yield* Admission.make({ places, retryAfterSeconds: 2 })

    const pages = yield* Cache.makeWith(
      Effect.fnUntraced(function* (page: number) {
        const nowMs = yield* Clock.currentTimeMillis
        return page === theIndex
          ? SitemapText.index(yield* events.sitemapPages(nowMs), publicUrl.base)
          : SitemapText.page(yield* events.sitemapPage(page, nowMs), publicUrl.event)
      }),
      { capacity: kept, timeToLive: (exit) => (Exit.isSuccess(exit) ? keptFor : Duration.zero) }
    )

    return handlers.handleAll({
      sitemap: ({ query }) => admit(Effect.map(Cache.get(pages, query.page ?? theIndex), answer)),
      robots: () => Effect.succeed(SitemapText.robots(publicUrl.base))
    })
  })
)
