/** Events that people look for; `JudgedQueries` has how they type it. */
import {
  berlin,
  hamburg,
  munich,
  paris,
  london,
  madrid,
  krakow,
  newYork,
  saoPaulo,
  zurich,
  athens,
  kyiv,
  prague,
  type SmallEvent
} from "./Places.ts"
import { smallConcerts } from "./SmallConcerts.ts"

/** By a key that the queries name. */
export const smallCatalogue = {
  ...smallConcerts,
  beethoven: {
    name: "Beethoven: Symphonie Nr. 9",
    performers: ["Berliner Philharmoniker", "Kirill Petrenko"],
    ...hamburg,
    description: "Mit Chor und Solisten.",
    inDays: 38,
    price: [3500, 19000]
  },
  tchaikovsky: {
    name: "Swan Lake",
    performers: ["Bolshoi Ballet"],
    ...london,
    description: "Ballet by Pyotr Tchaikovsky in four acts.",
    inDays: 50,
    currency: "GBP",
    price: [4000, 16000]
  },
  dvorak: {
    name: "Dvořák: Novosvětská symfonie",
    performers: ["Česká filharmonie"],
    ...prague,
    description: "Symphony from the New World.",
    inDays: 31,
    currency: "CZK",
    price: [45000, 180000]
  },
  chopin: {
    name: "Chopin Piano Evening",
    performers: ["Krystian Zimerman"],
    ...krakow,
    description: "Ballades and nocturnes by candlelight.",
    inDays: 29,
    currency: "PLN",
    price: [12000, 35000]
  },
  mozart: {
    name: "Die Zauberflöte",
    performers: ["Bayerische Staatsoper"],
    ...munich,
    description: "Oper von Wolfgang Amadeus Mozart.",
    inDays: 42,
    price: [3900, 22000]
  },
  carmen: {
    name: "Carmen",
    performers: ["Opéra de Paris"],
    ...paris,
    description: "Opéra en quatre actes de Georges Bizet.",
    inDays: 52,
    price: [4500, 23000]
  },
  flamenco: {
    name: "Noche de Flamenco",
    performers: ["Rosalía"],
    ...madrid,
    description: "Guitarra, cante y baile.",
    inDays: 19,
    price: [3500, 8900]
  },
  samba: {
    name: "Carnaval: Noite do Samba",
    performers: ["Seu Jorge"],
    ...saoPaulo,
    description: "Música brasileira até o amanhecer.",
    inDays: 23,
    currency: "BRL",
    price: [15000, 60000]
  },
  antigone: {
    name: "Αντιγόνη",
    performers: ["Εθνικό Θέατρο"],
    ...athens,
    description: "Η τραγωδία του Σοφοκλή κάτω από την Ακρόπολη.",
    inDays: 48,
    price: [2500, 6000]
  },
  okean: {
    name: "Океан Ельзи",
    performers: ["Святослав Вакарчук"],
    ...kyiv,
    description: "Великий концерт.",
    inDays: 26,
    currency: "UAH",
    price: [80000, 350000]
  },
  comedy: {
    name: "An Evening with Eddie Izzard",
    performers: ["Eddie Izzard"],
    ...london,
    description: "Stand-up comedy about everything.",
    inDays: 12,
    currency: "GBP",
    price: [3500, 6500]
  },
  hamlet: {
    name: "Hamlet",
    performers: ["Royal Shakespeare Company"],
    ...london,
    description: "To be, or not to be: the tragedy by William Shakespeare.",
    inDays: 58,
    currency: "GBP",
    price: [2500, 9500]
  },
  lionKing: {
    name: "Der König der Löwen",
    ...hamburg,
    description: "Disneys Musical im Hafen.",
    inDays: 8,
    price: [6900, 16900]
  },
  phantom: {
    name: "The Phantom of the Opera",
    ...newYork,
    description: "Andrew Lloyd Webber's musical.",
    inDays: 9,
    currency: "USD",
    price: [7900, 25900]
  },
  basketball: {
    name: "New York Knicks – Boston Celtics",
    performers: ["New York Knicks", "Boston Celtics"],
    ...newYork,
    description: "Regular season basketball.",
    inDays: 11,
    currency: "USD",
    price: [12000, 90000]
  },
  football: {
    name: "FC Bayern München – Borussia Dortmund",
    ...munich,
    description: "Der Klassiker der Bundesliga.",
    inDays: 14,
    price: [4500, 12000]
  },
  boxing: {
    name: "Heavyweight Night: Usyk – Fury",
    performers: ["Oleksandr Usyk", "Tyson Fury"],
    ...london,
    description: "Boxing for the undisputed title.",
    inDays: 62,
    currency: "GBP",
    price: [9900, 150000]
  },
  tango: {
    name: "Tango Buenos Aires",
    performers: ["Astor Piazzolla Ensemble"],
    ...berlin,
    description: "Bandoneón at dusk.",
    inDays: 20,
    price: [3200, 5400]
  },
  mariinsky: {
    name: "Нуреев: Гала-концерт",
    performers: ["Диана Вишнёва"],
    ...zurich,
    description: "Ballet gala.",
    inDays: 73,
    currency: "CHF",
    price: [9000, 24000]
  },
  jazz: {
    name: "Herbie Hancock Quintet",
    performers: ["Herbie Hancock"],
    ...zurich,
    description: "Jazz from Head Hunters to today.",
    inDays: 24,
    currency: "CHF",
    price: [7500, 14500]
  },
  blues: {
    name: "Joe Bonamassa",
    performers: ["Joe Bonamassa"],
    ...hamburg,
    description: "Blues rock guitar.",
    inDays: 27,
    price: [6900, 11900]
  },
  oktoberfest: {
    name: "Oktoberfest Blasmusik Abend",
    ...munich,
    description: "Bier und Brezn.",
    inDays: 30,
    price: [1500, 3000]
  },
  billie: {
    name: "Billie Eilish: Hit Me Hard and Soft",
    performers: ["Billie Eilish"],
    ...madrid,
    description: "Barefoot and loud.",
    inDays: 77,
    price: [7500, 17500]
  },
  weeknd: {
    name: "The Weeknd – After Hours",
    performers: ["The Weeknd"],
    ...saoPaulo,
    description: "Til dawn.",
    inDays: 81,
    currency: "BRL",
    price: [29000, 99000]
  },
  arctic: {
    name: "Arctic Monkeys",
    performers: ["Arctic Monkeys", "Inhaler"],
    ...krakow,
    description: "The Car on the road.",
    inDays: 45,
    currency: "PLN",
    price: [29900, 59900]
  },
  foals: {
    name: "Foals & Friends",
    performers: ["Foals"],
    ...paris,
    description: "An indie night.",
    inDays: 13,
    price: [3900, 5900]
  },
  kraftwerk: {
    name: "Kraftwerk 3-D",
    performers: ["Kraftwerk"],
    ...zurich,
    description: "Mensch Maschine.",
    inDays: 35,
    currency: "CHF",
    price: [8500, 11500]
  },
  stromae: {
    name: "Stromae: Multitude",
    performers: ["Stromae"],
    ...paris,
    description: "Chanson électronique.",
    inDays: 46,
    price: [5500, 12500]
  },
  fado: {
    name: "Noites de Fado",
    performers: ["Mariza"],
    ...madrid,
    description: "Saudade de Lisboa.",
    inDays: 22,
    price: [2900, 6900]
  },
  tango2: {
    name: "Berlin Night Run",
    venue: "Brandenburger Tor",
    location: "Pariser Platz, Berlin",
    description: "Ten kilometres through the city after dark.",
    inDays: 10,
    price: [2500, 4500]
  },
  berlinFilm: {
    name: "Filmfestspiele Gala",
    venue: "Berlinale Palast",
    location: "Marlene-Dietrich-Platz 1, Berlin",
    description: "Opening gala of the film festival.",
    inDays: 75,
    price: [4500, 9500]
  },
  isleOfDogs: {
    name: "Pet Shop Boys: Dreamworld",
    performers: ["Pet Shop Boys"],
    ...krakow,
    description: "The greatest hits, live from Berlin to the world.",
    inDays: 6,
    currency: "PLN",
    price: [25000, 45000]
  }
} as const satisfies Readonly<Record<string, SmallEvent>>

export type SmallKey = keyof typeof smallCatalogue
