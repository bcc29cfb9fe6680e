/** What is on in the demo season. Everyone and everything in it is made up. */
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { arena } from "./ArenaPlan.ts"
import { club, meadow } from "./SmallPlans.ts"
import { theatre } from "./TheatrePlan.ts"

export interface DemoVenue {
  readonly key: string
  readonly name: string
  readonly location: string
  readonly timeZone: string
  readonly currency: string
  readonly map: SeatMap
}

export interface DemoEvent {
  readonly key: string
  readonly venue: string
  readonly name: string
  readonly description: string
  readonly performers: ReadonlyArray<{ readonly name: string; readonly description: string }>
  /** Days after the first load. */
  readonly inDays: number
  /** At the venue. */
  readonly hour: number
  readonly minute: number
  /** Tier, price in minor units, categories of the map; days after the first load when its sale ends. */
  readonly tiers: ReadonlyArray<
    readonly [name: string, amount: number, categories: ReadonlyArray<string>, untilInDays?: number]
  >
  readonly quotas?: NewEvent["quotas"]
  readonly maxPerOrder?: number
  readonly maxPerCustomer?: number
  /** House seats: rows, and places of areas, by their index in the event's seat map. */
  readonly block?: {
    readonly name: string
    readonly rows?: ReadonlyArray<number>
    readonly areas?: ReadonlyArray<readonly [area: number, quantity: number]>
  }
}

export const venues: ReadonlyArray<DemoVenue> = [
  {
    key: "spreehalle",
    name: "Spreehalle",
    location: "Stralauer Ufer 4, Berlin, Germany",
    timeZone: "Europe/Berlin",
    currency: "EUR",
    map: arena
  },
  {
    key: "alderney",
    name: "The Alderney Theatre",
    location: "17 Calvert Row, London, United Kingdom",
    timeZone: "Europe/London",
    currency: "GBP",
    map: theatre
  },
  {
    key: "long-meadow",
    name: "Long Meadow Park",
    location: "County Road 12, Decorah, Iowa, United States",
    timeZone: "America/Chicago",
    currency: "USD",
    map: meadow
  },
  {
    key: "aosagi",
    name: "Aosagi",
    location: "2-18-5 Kichijoji, Musashino, Tokyo, Japan",
    timeZone: "Asia/Tokyo",
    currency: "JPY",
    map: club
  }
]

const novaLights = {
  name: "Nova Lights",
  description: "Synthesiser pop from Rostock, four voices and no guitars."
}
const tallShips = { name: "The Tall Ships", description: "Nine-piece folk rock with brass." }
const marlowe = { name: "Marlowe Quartet", description: "String quartet, founded in Leeds in 2009." }
const heron = { name: "Grey Heron Trio", description: "Piano, bass and drums; standards and own pieces." }
const alderney = { name: "The Alderney Company", description: "The theatre's own ensemble." }

const arenaTiers: DemoEvent["tiers"] = [
  ["Floor Front", 12_900, ["Floor Front"]],
  ["Floor", 9900, ["Floor"]],
  ["Lower Tier", 8500, ["Lower Tier Centre"]],
  ["Lower Tier Side", 6900, ["Lower Tier Side"]],
  ["Upper Tier", 5400, ["Upper Tier Centre"]],
  ["Upper Tier Side", 3900, ["Upper Tier Side"]]
]

const playTiers: DemoEvent["tiers"] = [
  ["Premium", 9500, ["Premium Stalls"]],
  ["Stalls and Circle", 6500, ["Stalls", "Front Circle"]],
  ["Boxes", 5500, ["Boxes"]],
  ["Rear Circle", 4200, ["Rear Circle"]],
  ["Balcony", 2400, ["Balcony"]]
]

export const events: ReadonlyArray<DemoEvent> = [
  {
    key: "cartographer-evening",
    venue: "alderney",
    name: "The Cartographer's Daughter",
    description:
      "A play in three acts about a map that everyone wants to be on. Two hours forty with an interval.",
    performers: [alderney],
    inDays: 14,
    hour: 19,
    minute: 30,
    tiers: playTiers
  },
  {
    key: "cartographer-matinee",
    venue: "alderney",
    name: "The Cartographer's Daughter (matinee)",
    description:
      "A play in three acts about a map that everyone wants to be on. Audio described performance.",
    performers: [alderney],
    inDays: 15,
    hour: 14,
    minute: 30,
    tiers: playTiers.map(([name, amount, categories]) => [
      name,
      Math.round((amount * 0.8) / 100) * 100,
      categories
    ])
  },
  {
    key: "heron",
    venue: "aosagi",
    name: "Grey Heron Trio: Late Set",
    description: "Two sets with a break. Tables are for four; the bar stands.",
    performers: [heron],
    inDays: 21,
    hour: 20,
    minute: 30,
    tiers: [
      ["Front Table", 7800, ["Front Tables"]],
      ["Table", 5800, ["Tables"]],
      ["Bar", 3200, ["Bar"]]
    ],
    maxPerOrder: 8
  },
  {
    key: "nova-lights-1",
    venue: "spreehalle",
    name: "Nova Lights: Afterglow Tour",
    description: "The first of two nights in Berlin with the songs of Afterglow. Doors open at 18:30.",
    performers: [novaLights],
    inDays: 28,
    hour: 20,
    minute: 0,
    tiers: arenaTiers,
    maxPerOrder: 6,
    maxPerCustomer: 12,
    // The first row of the middle of the floor.
    block: { name: "Artists' guests", rows: [12] }
  },
  {
    key: "nova-lights-2",
    venue: "spreehalle",
    name: "Nova Lights: Afterglow Tour (second night)",
    description: "The second of two nights in Berlin with the songs of Afterglow. Doors open at 18:30.",
    performers: [novaLights],
    inDays: 29,
    hour: 20,
    minute: 0,
    tiers: arenaTiers,
    maxPerOrder: 6
  },
  {
    key: "marlowe",
    venue: "alderney",
    name: "Marlowe Quartet: Night Pieces",
    description: "Three quartets written after dark. Only the stalls and the boxes are open.",
    performers: [marlowe],
    inDays: 45,
    hour: 20,
    minute: 0,
    tiers: [
      ["Stalls", 4800, ["Premium Stalls", "Stalls"]],
      ["Boxes", 3600, ["Boxes"]]
    ]
  },
  {
    key: "tall-ships",
    venue: "spreehalle",
    name: "The Tall Ships: Anthems with Orchestra",
    description: "Twenty years of The Tall Ships, with sixty strings.",
    performers: [tallShips, marlowe],
    inDays: 63,
    hour: 19,
    minute: 30,
    tiers: arenaTiers
  },
  {
    key: "long-meadow",
    venue: "long-meadow",
    name: "Long Meadow Festival",
    description:
      "One field, one stage, noon to midnight. Bring a blanket; the ground is dry as a rule. Early birds share the field with all others.",
    performers: [tallShips, novaLights, heron],
    inDays: 120,
    hour: 12,
    minute: 0,
    tiers: [
      ["Early Bird", 6900, ["General Admission"], 60],
      ["Day Ticket", 8900, ["General Admission"]]
    ],
    quotas: [{ name: "Early birds", capacity: 2500, tiers: ["Early Bird"] }],
    maxPerCustomer: 8,
    // Of the day tickets: the early birds have their whole quota.
    block: { name: "Crew and guests", areas: [[1, 200]] }
  }
]
