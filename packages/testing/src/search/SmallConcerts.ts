/** Concerts of the small catalogue, the most of which are known by the name of one performer. */
import {
  berlin,
  hamburg,
  munich,
  paris,
  london,
  madrid,
  reykjavik,
  newYork,
  zurich,
  type SmallEvent
} from "./Places.ts"

/** By a key that the queries name. */
export const smallConcerts = {
  metallica: {
    name: "Metallica: M72 World Tour",
    performers: ["Metallica"],
    ...munich,
    description: "Heavy metal in the round, two nights without a repeated song.",
    inDays: 40,
    price: [8900, 24900]
  },
  rammstein: {
    name: "Rammstein Stadion Tour",
    performers: ["Rammstein"],
    ...berlin,
    description: "Fire, steel and an orchestra of flames.",
    inDays: 55,
    price: [9500, 18000]
  },
  beyonce: {
    name: "Beyoncé – Renaissance",
    performers: ["Beyoncé"],
    ...london,
    description: "The show of the year.",
    inDays: 60,
    currency: "GBP",
    price: [7500, 35000]
  },
  bjork: {
    name: "Björk: Cornucopia",
    performers: ["Björk"],
    ...reykjavik,
    description: "A digital theatre with flutes and choir.",
    inDays: 33,
    currency: "ISK",
    price: [1500000, 2900000]
  },
  sigurRos: {
    name: "Sigur Rós",
    ...reykjavik,
    description: "With the Iceland symphony.",
    inDays: 34,
    currency: "ISK",
    price: [990000, 1990000]
  },
  motorhead: {
    name: "A Tribute to Motörhead",
    performers: ["Motörheadache"],
    ...hamburg,
    description: "Loud.",
    inDays: 21,
    price: [2500, 3500]
  },
  coldplay: {
    name: "Coldplay",
    performers: ["Coldplay"],
    ...paris,
    description: "Music of the Spheres.",
    inDays: 70,
    price: [6500, 19500]
  },
  acdc: {
    name: "AC/DC Power Up",
    performers: ["AC/DC"],
    ...munich,
    description: "Let there be rock.",
    inDays: 80,
    price: [11000, 22000]
  },
  gunsnroses: {
    name: "Guns N' Roses",
    ...madrid,
    description: "Not in this lifetime.",
    inDays: 44,
    price: [7900, 15900]
  },
  jayz: {
    name: "Jay-Z in Concert",
    performers: ["Jay-Z"],
    ...newYork,
    description: "One night only.",
    inDays: 25,
    currency: "USD",
    price: [9900, 49900]
  },
  taylor: {
    name: "Taylor Swift | The Eras Tour",
    performers: ["Taylor Swift", "Paramore"],
    ...london,
    description: "Three hours, ten acts.",
    inDays: 90,
    currency: "GBP",
    price: [5800, 19400]
  },
  adele: {
    name: "Weekends with Adele",
    performers: ["Adele"],
    ...munich,
    description: "A pop-up stadium in the summer.",
    inDays: 95,
    price: [7400, 40000]
  },
  radiohead: {
    name: "Radiohead",
    performers: ["Radiohead"],
    ...berlin,
    description: "First concerts in seven years.",
    inDays: 28,
    price: [8500, 12500]
  },
  daftpunk: {
    name: "Daft Punk Symphonic",
    ...paris,
    description: "Discovery, played by an orchestra.",
    inDays: 36,
    price: [4500, 9500]
  },
  edSheeran: {
    name: "Ed Sheeran Mathematics Tour",
    performers: ["Ed Sheeran"],
    ...zurich,
    description: "Alone with a loop pedal.",
    inDays: 66,
    currency: "CHF",
    price: [8900, 18900]
  },
  queen: {
    name: "Queen + Adam Lambert",
    performers: ["Queen", "Adam Lambert"],
    ...newYork,
    description: "Rhapsody over New York.",
    inDays: 47,
    currency: "USD",
    price: [8500, 32000]
  },
  abba: {
    name: "ABBA Voyage",
    performers: ["ABBA"],
    ...london,
    description: "A concert like no other.",
    inDays: 15,
    currency: "GBP",
    price: [4500, 18500]
  },
  nirvana: {
    name: "Nirvana: Nevermind played in full",
    ...hamburg,
    description: "A tribute.",
    inDays: 17,
    price: [2900, 3900]
  }
} as const satisfies Readonly<Record<string, SmallEvent>>
