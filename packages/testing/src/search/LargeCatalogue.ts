/**
 * A catalogue like that of a country's box office, of any size, the same for a seed: names of performers and places
 * in several languages, words by Zipf's law, most events soon. It is written into the catalog's tables as they are.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomOf } from "./Random.ts"
import type { SmallEvent } from "./Places.ts"
import { smallCatalogue } from "./SmallCatalogue.ts"

type Random = () => number

const pick = <A>(random: Random, from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)] as A
/** The first ones often, the last ones seldom. */
const zipf = (random: Random, size: number): number =>
  Math.min(size - 1, Math.floor((size + 1) ** random()) - 1)

const languages = [
  {
    first:
      "Anna Emma Lukas Jonas Maximilian Jürgen Günther Käthe Björn Sören Heike Matthias Ulrike Jörg Sabine Tobias".split(
        " "
      ),
    onset: "sch st kr br m n w h l r t f gr k".split(" "),
    vowel: "a e i o u ö ü ä ei au".split(" "),
    end: "mann er stein berg hauser feld ner inger ke hardt".split(" ")
  },
  {
    first:
      "Marie Chloé Hélène François Jérôme Éric Benoît Zoé Amélie René Céline Thierry Noël Inès Hugo Aurélien".split(
        " "
      ),
    onset: "b d l m v f g p r s ch tr".split(" "),
    vowel: "a é è ou i eau o u ai".split(" "),
    end: "rd net ville court mont ier eau let nier dois".split(" ")
  },
  {
    first:
      "José María Íñigo Lucía Álvaro Sofía Martín Begoña Andrés Ramón Inés Joaquín Rocío Óscar Nuria Pablo".split(
        " "
      ),
    onset: "g m r l s c d b p v t qu".split(" "),
    vowel: "a e i o u ía ue".split(" "),
    end: "ez ero ado illo rra ndo cía nte eño ales".split(" ")
  },
  {
    first:
      "Łukasz Małgorzata Zbigniew Agnieszka Wojciech Żaneta Michał Kasia Paweł Jiří Tomáš Kateřina Ondřej Šárka Zdeněk Věra".split(
        " "
      ),
    onset: "kr w sz k z m p b st dz g h".split(" "),
    vowel: "o a e i u ó y ě".split(" "),
    end: "wski czak ński ek ák owicz ová ský ła niak".split(" ")
  },
  {
    first:
      "Emily Oliver Jack Grace Harry Sophie Charlie Isla Noah Ruby Ethan Mason Harper Logan Wyatt Stella".split(
        " "
      ),
    onset: "b w h t s m c d r st th br cl".split(" "),
    vowel: "a e i o u ee oo ea".split(" "),
    end: "son ton ley well man ford field wood er s".split(" ")
  },
  {
    first:
      "Åsa Øyvind Jóhann Sæunn Håkon Märta Søren Bjørn Þóra Åke Signe Tuomas Päivi Jørgen Linnéa Ásgeir".split(
        " "
      ),
    onset: "h b k s l v th g m n st f".split(" "),
    vowel: "a ø å o u i ei ö".split(" "),
    end: "sen sson dóttir berg gaard lund nen lä vik dal".split(" ")
  }
] as const

const cities =
  "Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dresden Hannover Nürnberg Bremen Wien Graz Zürich Genève Basel Bern Paris Lyon Marseille Toulouse Nantes Montréal Bordeaux Lille Madrid Barcelona València Sevilla Málaga Bilbao A|Coruña Lisboa Porto Roma Milano Napoli Torino London Manchester Liverpool Leeds Glasgow Edinburgh Dublin Cardiff Bristol Amsterdam Rotterdam Bruxelles Antwerpen København Århus Stockholm Göteborg Malmö Oslo Bergen Helsinki Tampere Reykjavík Warszawa Kraków Łódź Wrocław Gdańsk Poznań Praha Brno Bratislava Budapest Zagreb Ljubljana București New|York Boston Chicago São|Paulo Rio|de|Janeiro Bogotá México"
    .split(" ")
    .map((city) => city.replaceAll("|", " "))
const halls =
  "Arena Halle Theater Theatre Théâtre Teatro Palais Palacio Philharmonie Opera Stadthalle Club Kino Forum Pavilion Dom Sala Centre".split(
    " "
  )
const formats =
  "Live|World Tour|Unplugged|in Concert|Symphonic|Open Air|Comedy Night|Acoustic Session|Greatest Hits|Farewell Tour|Christmas Show|Stand-up|Gala|Musical|Ballet|Oper|Kabarett|Jazz Night|Lesung|Festival|Matinée|Noche|Rock Night|Poetry Slam|Party".split(
    "|"
  )
const nouns =
  "night river fire moon shadow golden electric velvet silver broken wild summer winter dream city heart stone ocean thunder crystal lost little black white red blue paper glass iron honey tiger wolf raven storm echo ghost garden mirror machine radio".split(
    " "
  )
const prose =
  "der die das und mit the of and a in for with le la les des et un una el los y con música concert concerto konzert abend live show neue album tour band songs stage bühne scène noche evening für from their von zu hits best great orchestra orchester symphony guitar piano voice stimme choir chor theatre stück acts after years first time family familie kinder children tickets doors open einlass programme special guests dance tanz danse story geschichte world welt classic rock pop jazz folk blues electronic hip hop soul metal opera ballet comedy".split(
    " "
  )
const currencies = ["EUR", "EUR", "EUR", "EUR", "GBP", "USD", "CHF", "PLN", "CZK", "SEK"] as const

const coin = (random: Random, language: (typeof languages)[number]): string => {
  const syllables = 1 + Math.floor(random() * 2)
  let word = ""
  for (let i = 0; i < syllables; i++) word += pick(random, language.onset) + pick(random, language.vowel)
  word += pick(random, language.end)
  return word[0]!.toUpperCase() + word.slice(1)
}

const performer = (random: Random): string => {
  const language = pick(random, languages)
  const kind = random()
  if (kind < 0.5) return `${pick(random, language.first)} ${coin(random, language)}`
  if (kind < 0.65) return `The ${coin(random, language)}s`
  if (kind < 0.8) {
    const [a, b] = [pick(random, nouns), pick(random, nouns)].map((w) => w[0]!.toUpperCase() + w.slice(1))
    return random() < 0.5 ? `${a} ${b}` : `The ${a} ${coin(random, language)}`
  }
  if (kind < 0.9) return coin(random, language) + coin(random, language).toLowerCase()
  return `${coin(random, language)} & ${coin(random, language)}`
}

/** The same ids for the same seed: a UUIDv7 whose random bits are the numbers given. */
const idOf = (kind: number, index: number): string =>
  `01990000-${kind.toString(16).padStart(4, "0")}-7000-8${index.toString(16).padStart(9, "0").slice(0, 3)}-${index.toString(16).padStart(9, "0").slice(3)}000000`

export const smallEventId = (index: number): string => idOf(0xff, index)

const batch = 2_000

export interface LargeCatalogue {
  readonly performers: ReadonlyArray<string>
  readonly cities: ReadonlyArray<string>
}

const performersOf = (size: number, random: Random): ReadonlyArray<string> =>
  Array.from({ length: Math.max(200, Math.floor(size / 12)) }, () => performer(random))

/** What a catalogue of that size and seed is about, without writing it. */
export const names = (size: number, seed: number): LargeCatalogue => ({
  performers: performersOf(size, randomOf(seed)),
  cities
})

/** Writes `size` events and those of the small catalogue. Needs the migrated tables, without rows. */
export const write = Effect.fnUntraced(function* (options: {
  readonly size: number
  readonly seed: number
  readonly nowMs: number
}) {
  const sql = yield* SqlClient.SqlClient
  const random = randomOf(options.seed)
  const performers = performersOf(options.size, random)
  const insert = (json: ReadonlyArray<unknown>, run: (json: string) => Effect.Effect<unknown, unknown>) =>
    Effect.forEach(
      Array.from({ length: Math.ceil(json.length / batch) }, (_, i) =>
        json.slice(i * batch, (i + 1) * batch)
      ),
      (part) => run(JSON.stringify(part)),
      { discard: true }
    )
  const putPerformers = (rows: ReadonlyArray<{ readonly id: string; readonly name: string }>) =>
    insert(
      rows,
      (json) => sql`INSERT INTO catalog.performers (id, name, description)
      SELECT id, name, id::text FROM json_to_recordset(${json}::json) AS p (id uuid, name text)`
    )
  const putVenues = (
    rows: ReadonlyArray<{ readonly id: string; readonly name: string; readonly location: string }>
  ) =>
    insert(rows, (json) =>
      Effect.andThen(
        sql`INSERT INTO catalog.venues (id, name, location, time_zone, seat_map_version, created_at)
          SELECT id, name, location, 'Europe/Berlin', 1, now()
          FROM json_to_recordset(${json}::json) AS v (id uuid, name text, location text)`,
        sql`INSERT INTO catalog.seat_maps (venue_id, version, map, report, created_at)
          SELECT id, 1, '{}'::json, '{}'::json, now() FROM json_to_recordset(${json}::json) AS v (id uuid)`
      )
    )
  interface Row {
    readonly id: string
    readonly venue: string
    readonly name: string
    readonly description: string
    readonly startsAtMs: number
    readonly currency: string
    readonly from: number
    readonly to: number
    readonly performers: ReadonlyArray<string>
  }
  const putEvents = (rows: ReadonlyArray<Row>) =>
    insert(rows, (json) =>
      Effect.andThen(
        sql`INSERT INTO catalog.events (id, revision, opened_revision, state, venue_id, seat_map_version, name,
            description, starts_at, time_zone, on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order,
            quotas, hold_ttl_ms, hold_max_ms, checkout_max_ms, created_at, published_at)
          SELECT id, 1, 1, 'published', venue, 1, name, description, to_timestamp("startsAtMs" / 1000),
            'Europe/Berlin', to_timestamp("startsAtMs" / 1000) - interval '60 days', to_timestamp("startsAtMs" / 1000), currency, "from", "to", 10, '[]'::json, 600000,
            1800000, 900000, now(), now()
          FROM json_to_recordset(${json}::json) AS e (id uuid, venue uuid, name text, description text,
            "startsAtMs" float8, currency text, "from" bigint, "to" bigint)`,
        sql`INSERT INTO catalog.event_performers (event_id, position, performer_id)
          SELECT e.id, p.position, p.id::uuid
          FROM json_to_recordset(${json}::json) AS e (id uuid, performers json),
            json_array_elements_text(e.performers) WITH ORDINALITY AS p (id, position)`
      )
    )

  const venues = Array.from({ length: Math.max(20, Math.floor(options.size / 200)) }, (_, i) => {
    const language = pick(random, languages)
    const city = cities[zipf(random, cities.length)]!
    const name =
      random() < 0.5 ? `${coin(random, language)} ${pick(random, halls)}` : `${pick(random, halls)} ${city}`
    return {
      id: idOf(2, i),
      name,
      location: `${coin(random, language)} ${1 + Math.floor(random() * 200)}, ${city}`
    }
  })
  yield* putPerformers(performers.map((name, i) => ({ id: idOf(1, i), name })))
  yield* putVenues(venues)

  const small: ReadonlyArray<SmallEvent> = Object.values(smallCatalogue)
  const smallPerformers = small.flatMap(({ performers = [] }) => performers)
  yield* putPerformers(smallPerformers.map((name, i) => ({ id: idOf(0xf1, i), name })))
  yield* putVenues(small.map(({ location, venue }, i) => ({ id: idOf(0xf2, i), name: venue, location })))
  let at = 0
  yield* putEvents(
    small.map((event, i) => ({
      id: smallEventId(i),
      venue: idOf(0xf2, i),
      name: event.name,
      description: event.description,
      startsAtMs: options.nowMs + event.inDays * 86_400_000,
      currency: event.currency ?? "EUR",
      from: event.price[0],
      to: event.price[1],
      performers: (event.performers ?? []).map(() => idOf(0xf1, at++))
    }))
  )

  for (let from = 0; from < options.size; from += batch) {
    const rows: Array<Row> = []
    for (let i = from; i < Math.min(options.size, from + batch); i++) {
      const head = zipf(random, performers.length)
      const support = random() < 0.35 ? [zipf(random, performers.length)] : []
      const name =
        random() < 0.3
          ? performers[head]!
          : `${performers[head]!} ${pick(random, ["–", "|", ":", "·"])} ${formats[zipf(random, formats.length)]!}`
      const description = Array.from({ length: 8 + Math.floor(random() * 25) }, () =>
        random() < 0.93 ? prose[zipf(random, prose.length)]! : coin(random, pick(random, languages))
      ).join(" ")
      // Half of all within a third of the year and a half that is sold.
      const startsAtMs = options.nowMs + 3_600_000 + Math.floor(random() ** 1.6 * 540 * 86_400_000)
      const price = 900 + Math.floor(random() ** 2 * 12_000)
      rows.push({
        id: idOf(3, i),
        venue: venues[zipf(random, venues.length)]!.id,
        name: name.slice(0, 200),
        description,
        startsAtMs,
        currency: pick(random, currencies),
        from: price,
        to: price + Math.floor(random() * 9_000),
        performers: [...new Set([head, ...support])].map((p) => idOf(1, p))
      })
    }
    yield* putEvents(rows)
  }
  yield* sql`ANALYZE catalog.events`
  return { performers, cities }
})
