/** How people type what they look for, and what they mean by it: the table that search is judged by. */
import type { SmallKey } from "./SmallCatalogue.ts"

export interface Judged {
  readonly text: string
  readonly event: SmallKey
  /** The event is among so many first ones. */
  readonly top: 1 | 3
  readonly what:
    | "as it is"
    | "typing error"
    | "transposition"
    | "accent"
    | "order"
    | "unfinished"
    | "joined"
    | "place"
}

const judged =
  (what: Judged["what"], top: 1 | 3 = 1) =>
  (entries: ReadonlyArray<readonly [string, SmallKey]>): ReadonlyArray<Judged> =>
    entries.map(([text, event]) => ({ text, event, top, what }))

/** First where they name the event, among the first three where they name what is about it. */
export const judgedQueries: ReadonlyArray<Judged> = [
  ...judged("as it is")([
    ["metallica", "metallica"],
    ["swan lake", "tchaikovsky"],
    ["PHANTOM OF THE OPERA", "phantom"],
    ["Океан Ельзи", "okean"]
  ]),
  ...judged("typing error")([
    ["metalica", "metallica"],
    ["mettalica", "metallica"],
    ["rammstien", "rammstein"],
    ["ramstein", "rammstein"],
    ["radiohed", "radiohead"],
    ["coldpaly paris", "coldplay"],
    ["beethofen", "beethoven"],
    ["bethoven symphonie", "beethoven"],
    ["chopn piano", "chopin"],
    ["herbie hankock", "jazz"],
    ["bonamasa", "blues"],
    ["tailor swift", "taylor"],
    ["ed sheran", "edSheeran"],
    ["adelle", "adele"],
    ["billy eilish", "billie"],
    ["billie elish", "billie"],
    ["artic monkeys", "arctic"],
    ["kraftwork", "kraftwerk"],
    ["shakespear hamlet", "hamlet"],
    ["flamneco noche", "flamenco"],
    ["zauberflote mozzart", "mozart"],
    ["nirvanna nevermind", "nirvana"],
    ["knicks celtiks", "basketball"],
    ["pet shopp boys", "isleOfDogs"],
    ["океан ельзі", "okean"]
  ]),
  ...judged("transposition")([
    ["meatllica", "metallica"],
    ["nirvaan", "nirvana"],
    ["qeuen lambert", "queen"],
    ["strmoae", "stromae"],
    ["hamelt", "hamlet"],
    ["krafwterk", "kraftwerk"],
    ["okotberfest", "oktoberfest"]
  ]),
  ...judged("accent")([
    ["beyonce", "beyonce"],
    ["bjork cornucopia", "bjork"],
    ["sigur ros", "sigurRos"],
    ["motorhead", "motorhead"],
    ["dvorak", "dvorak"],
    ["konig der lowen", "lionKing"],
    ["rosalia flamenco", "flamenco"],
    ["ΑΝΤΙΓΟΝΗ", "antigone"],
    ["нуреев вишнева", "mariinsky"],
    ["Dvořak novosvetska", "dvorak"]
  ]),
  ...judged("order")([
    ["swift taylor", "taylor"],
    ["tour rammstein", "rammstein"],
    ["voyage abba london", "abba"],
    ["munchen bayern dortmund", "football"],
    ["lambert adam queen", "queen"],
    ["opera phantom", "phantom"]
  ]),
  ...judged("unfinished")([
    ["metalli", "metallica"],
    ["taylor sw", "taylor"],
    ["coldp", "coldplay"],
    ["arctic mon", "arctic"],
    ["beyon", "beyonce"]
  ]),
  ...judged("joined")([
    ["acdc", "acdc"],
    ["ac dc", "acdc"],
    ["guns n roses", "gunsnroses"],
    ["guns'n'roses", "gunsnroses"],
    ["jayz", "jayz"],
    ["daftpunk", "daftpunk"]
  ]),
  ...judged(
    "place",
    3
  )([
    ["tango berlin", "tango"],
    ["metallica olympiahalle", "metallica"],
    ["disneys musical hamburg", "lionKing"],
    ["boxing london", "boxing"],
    ["opera carmen paris", "carmen"]
  ])
]
