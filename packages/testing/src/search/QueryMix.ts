/** What people type into a search box, in the shares of a ticket shop; the same for a seed. */
import type { SearchRequest } from "@onsale/catalog/search/SearchIndex"
import type { LargeCatalogue } from "./LargeCatalogue.ts"

export const kinds = [
  "name",
  "typing error",
  "unfinished",
  "frequent word",
  "name and city",
  "with filters"
] as const
export type Kind = (typeof kinds)[number]

const shares: Readonly<Record<Kind, number>> = {
  name: 0.25,
  "typing error": 0.2,
  unfinished: 0.25,
  "frequent word": 0.1,
  "name and city": 0.1,
  "with filters": 0.1
}

const frequent = [
  "live",
  "concert",
  "the",
  "rock",
  "berlin",
  "festival",
  "opera",
  "jazz night",
  "live music",
  "tour 2027",
  "symphonic",
  "london",
  "comedy night",
  "theater berlin"
]
/** One of them, or two: so many that none has to be asked twice for a while. */
const frequentText = (random: () => number): string => {
  const one = () => frequent[Math.floor(random() * frequent.length)] ?? "live"
  return random() < 0.4 ? one() : `${one()} ${one()}`
}
const dayMs = 86_400_000

/** One slip of a finger. */
const mistyped = (word: string, random: () => number): string => {
  if (word.length < 4) return word
  const at = 1 + Math.floor(random() * (word.length - 2))
  const kind = random()
  if (kind < 0.3) return word.slice(0, at) + word.slice(at + 1)
  if (kind < 0.55) return word.slice(0, at) + word[at] + word.slice(at)
  if (kind < 0.8) return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2)
  return word.slice(0, at) + String.fromCharCode(97 + Math.floor(random() * 26)) + word.slice(at + 1)
}

/** The next query, and what kind it is of. */
export const next = (
  catalogue: LargeCatalogue,
  random: () => number,
  nowMs: number
): { readonly kind: Kind; readonly request: SearchRequest } => {
  let left = random()
  const kind = kinds.find((one) => (left -= shares[one]) < 0) ?? "name"
  const size = catalogue.performers.length
  const name = catalogue.performers[Math.min(size - 1, Math.floor((size + 1) ** random()) - 1)] ?? ""
  const city = catalogue.cities[Math.floor(random() ** 2 * catalogue.cities.length)] ?? ""
  const words = name.split(" ")
  const texts: Readonly<Record<Kind, () => string>> = {
    name: () => name,
    "typing error": () => {
      const at = Math.floor(random() * words.length)
      return words.map((word, i) => (i === at ? mistyped(word, random) : word)).join(" ")
    },
    unfinished: () => name.slice(0, Math.max(2, Math.ceil(name.length * (0.3 + 0.6 * random())))),
    "frequent word": () => frequentText(random),
    "name and city": () => (random() < 0.5 ? `${name} ${city}` : `${city} ${name}`),
    "with filters": () => (random() < 0.5 ? name : frequentText(random))
  }
  const from = nowMs + Math.floor(random() * 200) * dayMs
  const filtered = kind === "with filters"
  return {
    kind,
    request: {
      text: texts[kind](),
      nowMs,
      fromMs: filtered && random() < 0.7 ? from : null,
      toMs: filtered && random() < 0.7 ? from + (2 + Math.floor(random() * 40)) * dayMs : null,
      city: filtered && random() < 0.4 ? city : null,
      price:
        filtered && random() < 0.4
          ? { currency: "EUR", min: null, max: 3_000 + Math.floor(random() * 6_000) }
          : null,
      offset: random() < 0.9 ? 0 : 10,
      limit: 10
    }
  }
}
