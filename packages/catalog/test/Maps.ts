/** A small map with everything on it, and an event that sells it. */
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import type { MapSeat, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { makeUuidV7, VenueId } from "@onsale/contracts/Ids"

const seat = (key: string, label: string, x: number, y: number, more: Partial<MapSeat> = {}): MapSeat => ({
  key,
  label,
  x,
  y,
  category: "Stalls",
  accessible: false,
  companion: false,
  restrictedView: false,
  ...more
})

/** Seven seats in four rows of two sections, the second row the best; an area for 50. */
export const smallMap: SeatMap = {
  name: "Small",
  categories: [
    { name: "Stalls", color: null },
    { name: "Circle", color: "#123456" },
    { name: "Standing", color: null }
  ],
  focalPoint: { x: 0, y: 0 },
  sections: [
    {
      name: "Stalls",
      zone: null,
      focalPoint: null,
      rows: [
        { label: "B", seats: [seat("b1", "1", -10, 40), seat("b2", "2", 10, 40, { category: null })] },
        {
          label: "A",
          seats: [
            seat("a1", "1", -10, 20, { accessible: true }),
            seat("a2", "2", 10, 20, { companion: true })
          ]
        }
      ]
    },
    {
      name: "Circle",
      zone: "Upstairs",
      focalPoint: null,
      rows: [
        {
          label: "A",
          seats: [
            seat("c1", "1", -10, 60, { category: "Circle" }),
            seat("c2", "2", 10, 60, { category: "Circle" })
          ]
        },
        { label: "B", seats: [seat("d1", "1", 0, 80, { category: "Circle", restrictedView: true })] }
      ]
    }
  ],
  areas: [{ key: "pit", name: "Pit", capacity: 50, category: "Standing" }]
}

export const noVenue = VenueId.make(makeUuidV7(0))

/** Starts on 2030-06-01 at 18:00 UTC; Stalls 45.00, Circle 30.00, the pit is not sold. */
export const newEvent = (more: Partial<NewEvent> = {}): NewEvent => ({
  venueId: noVenue,
  name: "An Evening",
  description: "With music.",
  startsAt: "2030-06-01T18:00:00Z",
  performers: [{ name: "Somebody", description: "Sings." }, { name: "Anybody" }],
  tiers: [
    { name: "Front", price: { amount: 4500, currency: "EUR" }, categories: ["Stalls"] },
    { name: "Back", price: { amount: 3000, currency: "EUR" }, categories: ["Circle"] }
  ],
  quotas: [],
  ...more
})

/** A tier as it is stored where nothing is said of it. */
export const noRules = {
  saleFromMs: null,
  saleUntilMs: null,
  minPerOrder: null,
  maxPerOrder: null,
  voucherOnly: false
}

/** Four seats in two rows, and a floor of 100 and a terrace of 20 places without seats. */
export const fieldMap: SeatMap = {
  name: "Field",
  categories: [
    { name: "Seats", color: null },
    { name: "Floor", color: null },
    { name: "Terrace", color: null }
  ],
  focalPoint: { x: 0, y: 0 },
  sections: [
    {
      name: "Stand",
      zone: null,
      focalPoint: null,
      rows: ["A", "B"].map((label, row) => ({
        label,
        seats: [0, 1].map((x) => seat(`${label}${x}`, `${x + 1}`, x, row + 1, { category: "Seats" }))
      }))
    }
  ],
  areas: [
    { key: "floor", name: "Floor", capacity: 100, category: "Floor" },
    { key: "terrace", name: "Terrace", capacity: 20, category: "Terrace" }
  ]
}
