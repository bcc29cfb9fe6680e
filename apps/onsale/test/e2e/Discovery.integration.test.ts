/** How calendars and search engines find what is on sale, read back by a library that is not ours. */
import { assert, describe, it } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import ICAL from "ical.js"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const publicUrl = "https://tickets.example/shop"
const name = "Žižkov; «Größe, 東京», наследие \\ und eine Überschrift, die länger ist als eine Zeile mit 🎻"
/** The days on which the clocks of Berlin go forward and back, before and after they do. */
const starts = [
  "2027-03-28T00:30:00Z",
  "2027-03-28T01:30:00Z",
  "2027-10-31T00:30:00Z",
  "2027-10-31T01:30:00Z"
]

const parse = (text: string) => {
  const calendar = new ICAL.Component(ICAL.parse(text))
  return calendar.getAllSubcomponents("vevent").map((component) => {
    const event = new ICAL.Event(component)
    return {
      uid: event.uid,
      summary: event.summary,
      location: event.location,
      description: event.description,
      startsAt: event.startDate.toJSDate().toISOString(),
      sequence: event.sequence,
      status: component.getFirstPropertyValue("status"),
      url: component.getFirstPropertyValue("url"),
      stamped: component.hasProperty("dtstamp")
    }
  })
}

describe("Discovery", () => {
  it.live(
    "linked data, calendars and sitemaps of events, their orders and their cancellations",
    () =>
      Effect.gen(function* () {
        const service = yield* Service.start({ env: { ONSALE_PUBLIC_URL: `${publicUrl}/` } })
        const shop = Shop.at(service.url)
        const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 40 }))
        const events = yield* Effect.forEach(starts, (startsAt) => shop.openEvent(venue, { name, startsAt }))
        const [first, second] = events as [(typeof events)[number], (typeof events)[number]]
        const get = (path: string, headers: Record<string, string> = {}) => shop.send({ path, headers })
        const resource = shop.api(`/events/${first.id}`)

        // --- linked data, of the same resource
        const linked = yield* get(resource, { accept: "application/ld+json", host: "evil.example" })
        assert.strictEqual(linked.headers["content-type"], "application/ld+json")
        assert.include(String(linked.headers.vary), "accept")
        const ld = linked.json as { readonly [key: string]: unknown }
        assert.strictEqual(ld["name"], first.name)
        assert.strictEqual(ld["startDate"], "2027-03-28T01:30:00.000+01:00")
        assert.strictEqual(ld["url"], `${publicUrl}/api/v1/events/${first.id}`)
        assert.notInclude(linked.text, "evil.example")
        assert.include(
          linked.text,
          '"price":"45.00","priceCurrency":"EUR","availability":"https://schema.org/InStock"'
        )
        const plain = yield* get(resource, { accept: "*/*" })
        assert.strictEqual(plain.headers["content-type"], "application/json")
        assert.include(String(plain.headers.vary), "accept")
        assert.deepStrictEqual(plain.json, { ...first, status: "on_sale" })

        // --- the calendar of a venue
        const feed = yield* get(shop.api(`/venues/${venue.id}/calendar.ics`))
        assert.strictEqual(feed.status, 200, feed.text)
        assert.strictEqual(feed.headers["content-type"], "text/calendar; charset=utf-8")
        const lines = feed.text.split("\r\n")
        assert.strictEqual(lines.pop(), "")
        assert.isTrue(lines.every((line) => Buffer.byteLength(line) <= 75 && !/[\r\n]/.test(line)))
        assert.deepStrictEqual<unknown>(
          parse(feed.text),
          events.map((event) => ({
            uid: event.id,
            summary: name.replace("\t", ""),
            location: "Arena, Berlin",
            description: null,
            startsAt: event.startsAt,
            sequence: 1,
            status: "CONFIRMED",
            url: `${publicUrl}/api/v1/events/${event.id}`,
            stamped: true
          }))
        )
        const again = yield* get(shop.api(`/venues/${venue.id}/calendar.ics`), {
          "if-none-match": String(feed.headers.etag)
        })
        assert.deepStrictEqual([again.status, again.text], [304, ""])

        // --- of an order
        const hold = yield* shop.hold(second.id, { bestAvailable: { quantity: 1 } })
        const order = yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
        const ofOrder = Effect.map(get(shop.api(`/orders/${order.id}/calendar.ics`)), (reply) => ({
          reply,
          entries: parse(reply.text)
        }))
        const bought = yield* ofOrder
        assert.strictEqual(bought.reply.headers["cache-control"], "private, no-cache")
        assert.lengthOf(bought.entries, 1)
        const entry = bought.entries[0]!
        assert.strictEqual(entry.uid, second.id)
        assert.strictEqual(entry.status, "CONFIRMED")
        assert.strictEqual(entry.description, order.tickets[0]!.label)
        assert.notInclude(bought.reply.text, order.id)
        yield* shop.refund(order.id, { reason: "ill" })
        const refunded = yield* pollUntil(ofOrder, ({ entries }) => entries[0]?.status === "CANCELLED")
        assert.isAbove(refunded.entries[0]!.sequence, entry.sequence)

        // --- what does not take place
        const cancelled = yield* shop.organise(first.id, "/cancel", { reason: "no heating" })
        assert.strictEqual(cancelled.status, 200, cancelled.text)
        const after = yield* get(shop.api(`/venues/${venue.id}/calendar.ics`), {
          "if-none-match": String(feed.headers.etag)
        })
        assert.strictEqual(after.status, 200)
        const gone = parse(after.text).find(({ uid }) => uid === first.id)
        assert.strictEqual(gone?.status, "CANCELLED")
        assert.isAbove(gone?.sequence ?? 0, 1)
        const off = yield* get(resource, { accept: "application/ld+json" })
        assert.include(off.text, "https://schema.org/EventCancelled")

        // --- sitemaps
        const robots = yield* get("/robots.txt", { host: "evil.example" })
        assert.include(robots.text, `Sitemap: ${publicUrl}/sitemap.xml\n`)
        const draft = yield* shop.send({
          path: shop.api("/organiser/events"),
          headers: { authorization: `Bearer ${Service.organiserKey}` },
          body: { venueId: venue.id, name: "not yet", startsAt: starts[0], tiers: [] }
        })
        const index = yield* get("/sitemap.xml", { host: "evil.example" })
        assert.strictEqual(index.headers["content-type"], "application/xml; charset=utf-8")
        assert.match(
          index.text,
          /<sitemap><loc>https:\/\/tickets\.example\/shop\/sitemap\.xml\?page=0<\/loc><lastmod>\d{4}-/
        )
        const page = yield* get("/sitemap.xml?page=0")
        const found = [...page.text.matchAll(/<loc>(.*?)<\/loc>/g)].map(([, loc]) => loc)
        assert.deepStrictEqual(
          found,
          events.map(({ id }) => `${publicUrl}/api/v1/events/${id}`)
        )
        assert.strictEqual(draft.status === 201 || draft.status === 422, true, draft.text)
        assert.strictEqual((yield* get("/sitemap.xml?page=-1")).status, 400)

        // --- and what is not there
        const nobody = "01890000-0000-7000-8000-000000000000"
        for (const path of [
          `/venues/${nobody}/calendar.ics`,
          `/orders/${nobody}/calendar.ics`,
          `/events/${nobody}`
        ]) {
          const reply = yield* get(shop.api(path), { accept: "application/ld+json" })
          assert.strictEqual(reply.status, 404, path)
          assert.strictEqual(reply.headers["content-type"], "application/problem+json")
        }
        const openapi = (yield* get("/openapi.json")).text
        for (const type of ["application/ld+json", "text/calendar", "application/xml"])
          assert.include(openapi, type)
        yield* Service.assertNothingBroke(service)
      }).pipe(Effect.scoped),
    120_000
  )
})
