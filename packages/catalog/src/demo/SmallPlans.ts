/** A meadow for 20,000 people who stand, and a club with tables. */
import type { MapRow, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import * as PlanSketch from "./PlanSketch.ts"

export const meadow: SeatMap = {
  name: "Long Meadow",
  categories: [{ name: "General Admission", color: "#4E8B3A" }],
  focalPoint: null,
  sections: [],
  areas: [{ key: "meadow", name: "Meadow", capacity: 20_000, category: "General Admission" }]
}

const tableStep = 260
const tablesInLine = 6
const chairRadius = 70

/** A table is a row of the chairs round it. */
const table = (index: number): MapRow => {
  const x = ((index % tablesInLine) - (tablesInLine - 1) / 2) * tableStep
  const y = 300 + Math.floor(index / tablesInLine) * tableStep
  const places = [225, 315, 45, 135].map((degrees) => ({
    x: Math.round(x + chairRadius * Math.cos((degrees * Math.PI) / 180)),
    y: Math.round(y + chairRadius * Math.sin((degrees * Math.PI) / 180))
  }))
  const category = index < tablesInLine ? "Front Tables" : "Tables"
  return PlanSketch.row("Club", `Table ${index + 1}`, places, category)
}

const tables = Array.from({ length: 24 }, (_, index) => table(index))

export const club: SeatMap = {
  name: "Aosagi, tables and bar",
  categories: [
    { name: "Front Tables", color: "#2B4C7E" },
    { name: "Tables", color: "#567EBB" },
    { name: "Bar", color: "#A0A0A0" }
  ],
  focalPoint: { x: 0, y: 0 },
  sections: [
    {
      name: "Club",
      zone: null,
      focalPoint: null,
      rows: tables.map((row, i) => (i === tablesInLine ? PlanSketch.withWheelchairPlaces(row, 1) : row))
    }
  ],
  areas: [{ key: "bar", name: "Bar, standing", capacity: 60, category: "Bar" }]
}
