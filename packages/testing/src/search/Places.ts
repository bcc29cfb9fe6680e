/** Where the events of the small catalogue take place. */

export interface SmallEvent {
  readonly name: string
  readonly performers?: ReadonlyArray<string>
  readonly venue: string
  readonly location: string
  readonly description: string
  /** Days from now until it starts. */
  readonly inDays: number
  readonly currency?: string
  /** Minor units. */
  readonly price: readonly [from: number, to: number]
}

export const berlin = { venue: "Waldbühne", location: "Am Glockenturm, 14053 Berlin" }
export const hamburg = { venue: "Elbphilharmonie", location: "Platz der Deutschen Einheit, Hamburg" }
export const munich = { venue: "Olympiahalle", location: "Spiridon-Louis-Ring 21, München" }
export const paris = { venue: "L'Olympia", location: "28 Boulevard des Capucines, Paris" }
export const london = { venue: "Royal Albert Hall", location: "Kensington Gore, London" }
export const madrid = { venue: "Palacio Vistalegre", location: "Calle Utebo 1, Madrid" }
export const krakow = { venue: "Tauron Arena", location: "ul. Stanisława Lema 7, Kraków" }
export const reykjavik = { venue: "Harpa", location: "Austurbakki 2, Reykjavík" }
export const newYork = { venue: "Madison Square Garden", location: "4 Pennsylvania Plaza, New York" }
export const saoPaulo = { venue: "Allianz Parque", location: "Avenida Francisco Matarazzo, São Paulo" }
export const zurich = { venue: "Hallenstadion", location: "Wallisellenstrasse 45, Zürich" }
export const athens = { venue: "Ηρώδειο", location: "Διονυσίου Αρεοπαγίτου, Αθήνα" }
export const kyiv = { venue: "Палац Спорту", location: "Спортивна площа 1, Київ" }
export const prague = { venue: "Rudolfinum", location: "Alšovo nábřeží 12, Praha" }
