/** Small charts with the structure of those that the seats.io designer saves. */

let uuids = 0
export const uuid = (): string => `uuid${++uuids}`

export const seat = (label: string, x: number, y: number, more: object = {}) => ({
  x,
  y,
  label,
  displayLabel: null,
  categoryLabel: null,
  categoryAccessible: null,
  categoryKey: null,
  restrictedView: false,
  accessible: false,
  companionSeat: false,
  disabledBySocialDistancingRules: false,
  uuid: uuid(),
  published: true,
  ...more
})

export const row = (label: string | null, seats: ReadonlyArray<object>, more: object = {}) => ({
  label,
  displayLabel: null,
  sectionLabel: null,
  sectionDisplayedLabel: null,
  seatLabeling: { algoName: "SimpleNumbers", startAtIndex: 0, isInverted: false, useEndAt: false },
  seats,
  curve: 0,
  chairSpacing: 5,
  objectType: "row",
  uuid: uuid(),
  points: null,
  published: true,
  rotationAngle: 0,
  ...more
})

export const subChart = (more: object = {}) => ({
  height: 242,
  width: 134,
  tables: [],
  texts: [],
  imageObjects: [],
  rows: [],
  shapes: [],
  booths: [],
  icons: [],
  generalAdmissionAreas: [],
  sections: [],
  snapOffset: { x: 0, y: 0 },
  ...more
})

export const section = (label: string | null, topLeft: object | null, inner: object, more: object = {}) => ({
  points: [],
  label,
  labelRotationAngle: 320,
  topLeft,
  categoryLabel: "Stand",
  categoryKey: 1,
  uuid: uuid(),
  entrance: null,
  subChart: inner,
  ...more
})

export const chart = (inner: object | null, more: object = {}) => ({
  name: "A chart",
  tablesLabelCounter: 1,
  uuidCounter: 100,
  categories: {
    list: [
      { label: "Stand", color: "#4176A5", accessible: false, key: 1 },
      { label: "Lawn", color: "#FCA700", accessible: false, key: "string11" }
    ],
    maxCategoryKey: 2
  },
  version: 21,
  venueType: "ZONES",
  sectionScaleFactor: 100,
  ...(inner === null ? {} : { subChart: inner }),
  ...more
})
