/** A chart as the seats.io designer saves it, of any size: stands in zones, with sections, rows and seats. */

/** The size of the largest sample chart of seats.io. */
export const arenaSeats = 8_897

const seatSpacing = 20
const rowSpacing = 28

export interface ChartOptions {
  readonly seats: number
  readonly sections?: number
  readonly seatsARow?: number
}

export const categories = ["Goal Stands", "Main Stand"]

const place = (x: number, y: number, label: string, uuid: string, accessible: boolean) => ({
  x,
  y,
  label,
  displayLabel: null,
  categoryLabel: null,
  categoryKey: null,
  restrictedView: false,
  accessible,
  companionSeat: false,
  uuid,
  published: true
})

/** Sections differ in their row lengths by one, so that the seats come to exactly as many as asked. */
export const make = ({ seats, sections = 4, seatsARow = 68 }: ChartOptions): object => {
  const split = Array.from(
    { length: sections },
    (_, i) => Math.floor(seats / sections) + (i < seats % sections ? 1 : 0)
  )
  let uuids = 0
  const uuid = () => `uuid${++uuids}`
  return {
    name: "Generated arena",
    tablesLabelCounter: 1,
    uuidCounter: seats * 2,
    categories: {
      list: categories.map((label, i) => ({ label, color: "#4176A5", accessible: false, key: i + 1 })),
      maxCategoryKey: categories.length
    },
    zones: {
      list: ["finish", "midtrack"].map((key, i) => ({
        key,
        label: `Zone ${i + 1}`,
        focalPoint: { x: 10_000, y: i * 5_000 }
      }))
    },
    version: 21,
    venueType: "ZONES",
    sectionScaleFactor: 100,
    subChart: {
      height: 30_000,
      width: 50_000,
      tables: [],
      booths: [],
      rows: [],
      shapes: [],
      generalAdmissionAreas: [],
      sections: split.map((count, section) => ({
        points: [],
        label: `Stand ${section + 1}`,
        zone: section % 2 === 0 ? "finish" : "midtrack",
        labelRotationAngle: 320,
        uuid: uuid(),
        categoryLabel: categories[section % 2],
        categoryKey: (section % 2) + 1,
        topLeft: { x: section * 4_000, y: 2_000 },
        entrance: null,
        subChart: {
          height: 2_000,
          width: 2_000,
          tables: [],
          booths: [],
          shapes: [],
          generalAdmissionAreas: [],
          sections: [],
          rows: Array.from({ length: Math.ceil(count / seatsARow) }, (_, row) => ({
            label: `R${row + 1}`,
            displayLabel: null,
            sectionLabel: null,
            curve: 0,
            chairSpacing: 5.5,
            objectType: "row",
            uuid: uuid(),
            published: true,
            rotationAngle: 0,
            seats: Array.from({ length: Math.min(seatsARow, count - row * seatsARow) }, (_, seat) =>
              place(seat * seatSpacing, row * rowSpacing, `${seat + 1}`, uuid(), row === 0 && seat < 4)
            )
          }))
        }
      }))
    }
  }
}
