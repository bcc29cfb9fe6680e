/**
 * What every implementation of the `SearchIndex` contract must do: find what was meant, in the right order, and
 * nothing that is not there.
 */
import { assert, layer as testLayer } from "@effect/vitest"
import type { SearchDocument } from "@onsale/catalog/search/SearchDocument"
import { SearchIndex, maxResults, type SearchRequest } from "@onsale/catalog/search/SearchIndex"
import { EventId } from "@onsale/contracts/Ids"
import { Effect, type Layer } from "effect"
import { judgedQueries } from "./search/JudgedQueries.ts"
import type { SmallEvent } from "./search/Places.ts"
import { smallCatalogue } from "./search/SmallCatalogue.ts"

const dayMs = 86_400_000
/** The index gets its time with each question: no clock has to be set. */
const nowMs = Date.UTC(2030, 0, 1)

const idOf = (kind: number, n: number) =>
  EventId.make(
    `019b0000-${kind.toString(16).padStart(4, "0")}-7000-8000-${n.toString(16).padStart(6, "0")}000000`
  )

const documentOf = (
  id: EventId,
  { currency = "EUR", description, inDays, location, name, performers = [], price, venue }: SmallEvent
): SearchDocument => ({
  eventId: id,
  name,
  performers,
  venue,
  location,
  description,
  startsAtMs: nowMs + inDays * dayMs,
  currency,
  priceFrom: price[0],
  priceTo: price[1]
})

const keys = Object.keys(smallCatalogue)
const small = Object.values(smallCatalogue).map((event: SmallEvent, i) => documentOf(idOf(1, i), event))

const asked = (text: string, rest: Partial<SearchRequest> = {}): SearchRequest => ({
  text,
  nowMs,
  fromMs: null,
  toMs: null,
  city: null,
  price: null,
  offset: 0,
  limit: 10,
  ...rest
})

const plain: SmallEvent = {
  name: "Plain",
  venue: "Hall",
  location: "Bern",
  description: "",
  inDays: 10,
  price: [1_000, 2_000]
}

const assertEvents = (events: ReadonlyArray<EventId>, expected: ReadonlyArray<EventId | undefined>) =>
  assert.deepStrictEqual<ReadonlyArray<EventId | undefined>>(events, expected)

/** Declares the whole suite. The index is empty at first, and the suite's alone. */
export const suite = <E>(name: string, implementation: Layer.Layer<SearchIndex, E>): void =>
  testLayer(implementation, { excludeTestServices: true, timeout: "120 seconds" })(name, (it) => {
    let kinds = 100
    /** Puts events of this test, whose words no other test has; their ids in that order. */
    const put = Effect.fnUntraced(function* (events: ReadonlyArray<Partial<SmallEvent>>) {
      const { apply } = yield* SearchIndex
      const kind = kinds++
      const documents = events.map((event, i) => documentOf(idOf(kind, i), { ...plain, ...event }))
      yield* apply({ put: documents, remove: [] })
      return documents.map(({ eventId }) => eventId)
    })
    const found = Effect.fnUntraced(function* (text: string, rest: Partial<SearchRequest> = {}) {
      return (yield* (yield* SearchIndex).search(asked(text, rest))).events
    })

    it.effect("an empty index finds nothing", () =>
      Effect.gen(function* () {
        const index = yield* SearchIndex
        assert.deepStrictEqual(yield* index.search(asked("metallica")), { events: [], total: 0, exact: true })
        assert.strictEqual(yield* index.count, 0)
        yield* index.apply({ put: small, remove: [] })
        assert.strictEqual(yield* index.count, small.length)
      })
    )

    for (const { event, text, top, what } of judgedQueries) {
      it.effect(`finds ${event} ${top === 1 ? "first" : `among ${top}`} by "${text}" (${what})`, () =>
        Effect.gen(function* () {
          const events = yield* found(text)
          const place = events.indexOf(idOf(1, keys.indexOf(event)))
          const names = events.map((id) => small.find(({ eventId }) => eventId === id)?.name)
          assert.isTrue(place >= 0 && place < top, `found ${names.join(", ")}`)
        })
      )
    }

    it.effect("a word counts most in the name, then as a performer, at the place, in the description", () =>
      Effect.gen(function* () {
        const [description, place, performer, named] = yield* put([
          { description: "quarzuhr", inDays: 1 },
          { location: "Quarzuhr", inDays: 2 },
          { performers: ["Quarzuhr"], inDays: 3 },
          { name: "Quarzuhr", inDays: 4 }
        ])
        assertEvents(yield* found("quarzuhr"), [named, performer, place, description])
      })
    )

    it.effect("of what is equally good the earlier comes first", () =>
      Effect.gen(function* () {
        const [last, first, middle] = yield* put(
          [30, 10, 20].map((inDays) => ({ name: "Wolkenkuckuck", inDays }))
        )
        assertEvents(yield* found("wolkenkuckuck"), [first, middle, last])
      })
    )

    it.effect("what has started is not found, nor what is out of the asked time", () =>
      Effect.gen(function* () {
        const [, , soon, later] = yield* put([-1, 0, 5, 50].map((inDays) => ({ name: "Zeitgrenze", inDays })))
        const at = (days: number) => nowMs + days * dayMs
        assertEvents(yield* found("zeitgrenze", { nowMs: at(0) + 1 }), [soon, later])
        assertEvents(yield* found("zeitgrenze", { fromMs: at(5), toMs: at(50), nowMs: at(0) + 1 }), [soon])
        assertEvents(yield* found("zeitgrenze", { fromMs: at(6) }), [later])
        assertEvents(yield* found("zeitgrenze", { fromMs: at(-10), toMs: at(1), nowMs: at(0) + 1 }), [])
        assertEvents(yield* found("zeitgrenze", { fromMs: at(7), toMs: at(900) }), [later])
      })
    )

    it.effect("the city is that of the venue, without case and accents, and as it is written", () =>
      Effect.gen(function* () {
        const [paulo, , york] = yield* put([
          { name: "Stadtfilter", location: "Rua 1, São Paulo" },
          { name: "Stadtfilter Paulo", location: "Lima", venue: "São Paulo" },
          { name: "Stadtfilter", location: "New York" }
        ])
        assertEvents(yield* found("stadtfilter", { city: "sao PAULO" }), [paulo])
        assertEvents(yield* found("stadtfilter", { city: "York" }), [york])
        assertEvents(yield* found("stadtfilter", { city: "Yorck" }), [])
      })
    )

    it.effect("prices are compared in their own currency, with both ends", () =>
      Effect.gen(function* () {
        const [cheap, dear] = yield* put([
          { name: "Preisrahmen", price: [1_000, 2_000], inDays: 1 },
          { name: "Preisrahmen", price: [3_000, 5_000], inDays: 2 },
          { name: "Preisrahmen", price: [1_500, 1_500], currency: "JPY", inDays: 3 }
        ])
        const priced = (min: number | null, max: number | null) =>
          found("preisrahmen", { price: { currency: "EUR", min, max } })
        assertEvents(yield* priced(null, null), [cheap, dear])
        assertEvents(yield* priced(2_000, null), [cheap, dear])
        assertEvents(yield* priced(2_001, null), [dear])
        assertEvents(yield* priced(null, 2_999), [cheap])
        assertEvents(yield* priced(2_001, 2_999), [])
      })
    )

    it.effect("pages follow each other, and the total is of all of them", () =>
      Effect.gen(function* () {
        const ids = yield* put(Array.from({ length: 25 }, (_, i) => ({ name: "Seitenzahl", inDays: i + 1 })))
        const { search } = yield* SearchIndex
        for (const [offset, length] of [
          [0, 10],
          [10, 10],
          [20, 5],
          [30, 0]
        ] as const) {
          const page = yield* search(asked("seitenzahl", { offset }))
          assert.deepStrictEqual(page, { events: ids.slice(offset, offset + length), total: 25, exact: true })
        }
      })
    )

    it.effect("so many are counted and shown, of more it says that there are", () =>
      Effect.gen(function* () {
        const { apply, search } = yield* SearchIndex
        const many = Array.from({ length: maxResults + 100 }, (_, i) =>
          documentOf(idOf(7, i), { ...plain, name: "Massenware", inDays: 100 + i / 10 })
        )
        for (let from = 0; from < many.length; from += 250)
          yield* apply({ put: many.slice(from, from + 250), remove: [] })
        const { events, exact, total } = yield* search(asked("massenware", { offset: maxResults - 5 }))
        assert.deepStrictEqual([events.length, exact, total], [5, false, maxResults])
        yield* apply({ put: [], remove: many.slice(50).map(({ eventId }) => eventId) })
        const left = yield* search(asked("massenware", { limit: 100 }))
        assert.deepStrictEqual(left, {
          events: many.slice(0, 50).map(({ eventId }) => eventId),
          total: 50,
          exact: true
        })
      })
    )

    it.effect("of very many, the soonest come first, in any time, city and price, and in years too", () =>
      Effect.gen(function* () {
        const { apply, search } = yield* SearchIndex
        // 600 in two days, 400 within two years, 700 in the years after them.
        const inDays = (i: number) =>
          i < 600 ? 1 + i * 0.003 : i < 1_000 ? 4 + (i - 600) * 1.7 : 800 + (i - 1_000) / 2
        const many = Array.from({ length: 1_700 }, (_, i) =>
          documentOf(idOf(8, i), {
            ...plain,
            name: "Dauerbrenner",
            performers: [i % 2 === 0 ? "Gerade" : "Ungerade"],
            location: i % 100 === 99 ? "Graz" : "Bern",
            price: i % 50 === 49 ? [9_000, 9_500] : [1_000, 2_000],
            inDays: inDays(i)
          })
        )
        const ids = many.map(({ eventId }) => eventId)
        // In an order that has nothing to do with time.
        const shuffled = many.map((_, i) => many[(i * 617) % many.length]!)
        for (let from = 0; from < many.length; from += 250)
          yield* apply({ put: shuffled.slice(from, from + 250), remove: [] })
        const at = (i: number) => nowMs + Math.round(inDays(i) * dayMs)
        const price = { currency: "EUR", min: 3_000, max: null }
        assertEvents(yield* found("dauerbrenner"), ids.slice(0, 10))
        assertEvents(yield* found("dauerbrenner gerade"), ids.filter((_, i) => i % 2 === 0).slice(0, 10))
        assertEvents(yield* found("dauerbrenner", { offset: 490 }), ids.slice(490, 500))
        assertEvents(
          yield* found("dauerbrenner bern", { offset: 490 }),
          ids.filter((_, i) => i % 100 !== 99).slice(490, 500)
        )
        assertEvents(
          yield* found("dauerbrenner", { city: "Graz" }),
          ids.filter((_, i) => i % 100 === 99).slice(0, 10)
        )
        assertEvents(
          yield* found("dauerbrenner", { price }),
          ids.filter((_, i) => i % 50 === 49).slice(0, 10)
        )
        // From there on they are spread over years.
        const spread = { fromMs: at(600) }
        const all = yield* search(asked("dauerbrenner", { ...spread, offset: 395 }))
        assert.deepStrictEqual(all, { events: ids.slice(995, 1_005), total: maxResults, exact: false })
        const few = yield* search(asked("dauerbrenner", { fromMs: at(900), toMs: at(905) }))
        assert.deepStrictEqual(few, { events: ids.slice(900, 905), total: 5, exact: true })
        const later = yield* search(asked("dauerbrenner", { fromMs: at(998), toMs: at(1_002) }))
        assert.deepStrictEqual(later, { events: ids.slice(998, 1_002), total: 4, exact: true })
        for (let from = 0; from < many.length; from += 250)
          yield* apply({ put: [], remove: ids.slice(from, from + 250) })
        assertEvents(yield* found("dauerbrenner"), [])
      })
    )

    it.effect("an event that changed is found by its new words alone, and one that was removed by none", () =>
      Effect.gen(function* () {
        const { apply } = yield* SearchIndex
        const [id] = yield* put([{ name: "Altname Xylofant" }])
        const document = documentOf(id!, { ...plain, name: "Neuname Xylofant", location: "Graz" })
        for (const _ of [1, 2]) yield* apply({ put: [document], remove: [] })
        assertEvents(yield* found("altname"), [])
        assertEvents(yield* found("neuname", { city: "Graz" }), [id])
        assertEvents(yield* found("xylofnat"), [id])
        for (const _ of [1, 2]) yield* apply({ put: [], remove: [id!] })
        assertEvents(yield* found("neuname xylofant"), [])
      })
    )

    it.effect("a new word that looks like a slip of a known one is found as it is", () =>
      Effect.gen(function* () {
        yield* put(Array.from({ length: 30 }, () => ({ name: "Blaukehlchen" })))
        const { search } = yield* SearchIndex
        assert.strictEqual((yield* search(asked("blaukelchen "))).total, 30)
        const [id] = yield* put([{ name: "Blaukelchen", inDays: 90 }])
        assert.deepStrictEqual((yield* found("blaukelchen "))[0], id)
      })
    )

    it.effect("what a word begins stands before what a slip may have made of another", () =>
      Effect.gen(function* () {
        const [begun, slip] = yield* put([
          { name: "Zwirbelkater", description: "Abend", inDays: 9 },
          { name: "Zwirbol", performers: ["Zwirbol"], inDays: 1 }
        ])
        assertEvents(yield* found("zwirbel"), [begun, slip])
      })
    )

    it.effect("words that lead nowhere are left out where the others lead somewhere", () =>
      Effect.gen(function* () {
        const [id] = yield* put([{ name: "Nordlichtbogen" }])
        assertEvents(yield* found("nordlichtbogen qqqqqqqqq"), [id])
        assertEvents(yield* found("qqqqqqqqq"), [])
      })
    )

    it.effect("signs mean nothing, alone or among words", () =>
      Effect.gen(function* () {
        const [id] = yield* put([{ name: "Zeichensalat" }])
        for (const text of ["!!!", "' | ! & : * ( ) \\ <->", " ", '"', "\u{1F3B8}"])
          assertEvents(yield* found(text), [])
        for (const text of ["'zeichensalat':*", "(zeichensalat", "zeichensalat \\", "#d1 @bern zeichensalat"])
          assert.deepStrictEqual((yield* found(text))[0], id, text)
      })
    )

    it.effect("what has taken place is swept out, and nothing else", () =>
      Effect.gen(function* () {
        const index = yield* SearchIndex
        const before = yield* index.count
        yield* put([-3, -2, 3].map((inDays) => ({ name: "Kehraus", inDays })))
        assert.strictEqual(yield* index.count, before + 3)
        yield* index.sweep(nowMs)
        assert.strictEqual((yield* found("kehraus", { nowMs: nowMs - 10 * dayMs })).length, 1)
      })
    )

    it.effect("lists the events that it has in the order of their ids", () =>
      Effect.gen(function* () {
        const index = yield* SearchIndex
        const all: Array<string> = []
        let after = "00000000-0000-0000-0000-000000000000"
        for (;;) {
          const page = yield* index.eventsAfter(after, 40)
          const last = page[page.length - 1]
          if (last === undefined) break
          all.push(...page)
          after = last
        }
        assert.strictEqual(all.length, yield* index.count)
        assert.deepStrictEqual(all, [...all].sort())
      })
    )
  })
