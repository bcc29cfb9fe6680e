/** A theatre of about 1,400 seats: stalls, circle, balcony and boxes. */
import type { MapRow, MapSection, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import * as PlanSketch from "./PlanSketch.ts"

// The rows are gently curved: their common centre is far behind the stage.
const centre = { x: 0, y: -1500 }
const halfAngle = 20
const step = 52

interface Tier {
  readonly name: string
  readonly firstRadius: number
  readonly rows: number
  readonly rowDepth: number
  readonly category: (row: number) => string
  readonly wheelchairRow: number
}

const tiers: ReadonlyArray<Tier> = [
  {
    name: "Stalls",
    firstRadius: 2000,
    rows: 20,
    rowDepth: 90,
    category: (row) => (row >= 2 && row < 11 ? "Premium Stalls" : "Stalls"),
    wheelchairRow: 19
  },
  {
    name: "Royal Circle",
    firstRadius: 4000,
    rows: 6,
    rowDepth: 85,
    category: (row) => (row < 3 ? "Front Circle" : "Rear Circle"),
    wheelchairRow: -1
  },
  {
    name: "Balcony",
    firstRadius: 4800,
    rows: 4,
    rowDepth: 80,
    category: () => "Balcony",
    wheelchairRow: -1
  }
]

const drawTier = (tier: Tier): MapSection => ({
  name: tier.name,
  zone: null,
  focalPoint: null,
  rows: Array.from({ length: tier.rows }, (_, i): MapRow => {
    const radius = tier.firstRadius + i * tier.rowDepth
    const places = PlanSketch.arcPlaces({ centre, radius, from: -halfAngle, to: halfAngle, step, aisle: 0 })
    const drawn = PlanSketch.row(tier.name, PlanSketch.rowLetter(i), places, tier.category(i))
    return i === tier.wheelchairRow ? PlanSketch.withWheelchairPlaces(drawn, 3) : drawn
  })
})

/** Four boxes a side, four chairs each; those next to the stage look along its edge. */
const boxes: MapSection = {
  name: "Boxes",
  zone: null,
  focalPoint: null,
  rows: [-1, 1].flatMap((side) =>
    [0, 1, 2, 3].map((i): MapRow => {
      const x = side * (1150 + i * 60)
      const y = 250 + i * 260
      const places = [0, 1, 2, 3].map((chair) => ({
        x: x + side * (chair >> 1) * 60,
        y: y + (chair & 1) * 60
      }))
      const label = `Box ${side < 0 ? i + 1 : i + 5}`
      const drawn = PlanSketch.row("Boxes", label, places, "Boxes")
      return i === 0 ? PlanSketch.withRestrictedView(drawn) : drawn
    })
  )
}

export const theatre: SeatMap = {
  name: "The Alderney, auditorium",
  categories: [
    { name: "Premium Stalls", color: "#8A2846" },
    { name: "Stalls", color: "#C05A6E" },
    { name: "Front Circle", color: "#32588C" },
    { name: "Rear Circle", color: "#7794BD" },
    { name: "Balcony", color: "#8C8C5A" },
    { name: "Boxes", color: "#B98A2E" }
  ],
  focalPoint: { x: 0, y: 0 },
  sections: [...tiers.map(drawTier), boxes],
  areas: []
}
