/** `onsale venue`: seat maps in and out. */
import { TimeZoneName, type VenueDetail } from "@onsale/contracts/catalog/Event"
import { PlanFormat } from "@onsale/contracts/catalog/SeatMap"
import { VenueId } from "@onsale/contracts/Ids"
import { Effect, FileSystem, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { allPages, asOrganiser, asOrganiserBy } from "./Connection.ts"
import { refused, usage } from "./Failure.ts"
import { count, plural } from "../Wording.ts"
import { print, table } from "./Output.ts"
import { guessFormat, maxFileBytes } from "./PlanFile.ts"
import * as Progress from "./Progress.ts"

const read = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const unreadable = ({ message }: { readonly message: string }) => refused(`${file} cannot be read`, message)
  const { size } = yield* Effect.mapError(fs.stat(file), unreadable)
  if (Number(size) > maxFileBytes)
    return yield* refused(`${file} is too large`, `A plan has at most ${maxFileBytes} bytes`)
  return yield* Effect.mapError(fs.readFileString(file), unreadable)
})

const reportLines = ({ id, name, report }: VenueDetail): ReadonlyArray<string> => [
  `Imported "${name}" as venue ${id}`,
  `${plural(report.seats, "seat")} in ${plural(report.rows, "row")}, ${plural(report.areas, "area")} for ${plural(report.areaCapacity, "place")} (${report.format})`,
  ...(report.sections.length === 0
    ? []
    : [
        "",
        ...table(
          ["SECTION", "ROWS", "SEATS"],
          report.sections.map((section) => [section.name, section.rows, section.seats])
        )
      ]),
  ...(report.categories.length === 0
    ? []
    : [
        "",
        ...table(
          ["CATEGORY", "SEATS", "PLACES"],
          report.categories.map((category) => [category.name ?? "(none)", category.seats, category.places])
        )
      ]),
  "",
  ...(report.problemCount === 0
    ? ["No problems."]
    : [
        `${plural(report.problemCount, "problem")}:`,
        ...table(
          ["", "PLACE", "WHAT"],
          report.problems.map(({ message, path, severity }) => [
            severity,
            path === "" ? "(file)" : path,
            message
          ])
        ),
        ...(report.problemCount > report.problems.length
          ? [`and ${count(report.problemCount - report.problems.length)} more`]
          : [])
      ])
]

const importPlan = Command.make(
  "import",
  {
    file: Argument.String("FILE").pipe(
      Argument.withDescription("The seat map: a seats.io chart, a pretix seating plan, or CSV"),
      Argument.withSchema(Schema.NonEmptyString)
    ),
    name: Flag.String("name").pipe(
      Flag.withDescription("What the venue is called"),
      Flag.withMetavar("NAME")
    ),
    timeZone: Flag.String("time-zone").pipe(
      Flag.withDescription("Where its clocks are, such as Europe/Berlin"),
      Flag.withMetavar("ZONE"),
      Flag.withSchema(TimeZoneName)
    ),
    location: Flag.String("location").pipe(
      Flag.withDescription("Its address, as it stands on tickets"),
      Flag.withMetavar("TEXT"),
      Flag.withDefault("")
    ),
    format: Flag.Literals("format", PlanFormat.literals).pipe(
      Flag.withDescription("What the file is; told from its content where left out"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, format, location, name, timeZone }) {
    const content = yield* read(file)
    const known = Option.orElse(format, () => guessFormat(content))
    if (Option.isNone(known)) {
      return yield* usage(
        `${file} is neither a seats.io chart, nor a pretix plan, nor CSV, as far as can be seen`,
        "Name what it is with --format seatsio, pretix or csv, to be told what is wrong with it"
      )
    }
    const venue = yield* Progress.watch((transform) =>
      Effect.flatMap(asOrganiserBy(transform), (onsale) =>
        onsale.call((api) =>
          api.organiser.createVenue({
            payload: { name, location, timeZone, seatMap: { format: known.value, content } }
          })
        )
      )
    )
    yield* print(venue, reportLines(venue))
  })
).pipe(
  Command.withDescription(
    "Make a venue of a seat map. Prints what was found by section and category, and every problem with its place in the file. A file that cannot be read is refused whole, and nothing is stored."
  ),
  Command.withShortDescription("Make a venue of a seat map"),
  Command.withExamples([
    {
      command: 'onsale venue import arena.json --name "Arena" --time-zone Europe/Berlin',
      description: "A seats.io chart or a pretix plan; which of them, its content tells"
    },
    {
      command:
        'onsale venue import hall.csv --name "Hall" --time-zone Europe/London --location "1 High Street" --json',
      description: "CSV: section,row,seat_from,seat_to,quantity,price"
    }
  ])
)

const exportPlan = Command.make(
  "export",
  {
    venueId: Argument.String("VENUE_ID").pipe(
      Argument.withDescription('The venue, as "onsale venue list" tells'),
      Argument.withSchema(VenueId)
    ),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Where to write it; stdout when left out"),
      Flag.withMetavar("FILE"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ out, venueId }) {
    const onsale = yield* asOrganiser
    const plan = yield* onsale.call((api) => api.organiser.exportVenue({ params: { venueId } }))
    const text = JSON.stringify(plan, null, 2)
    if (Option.isNone(out)) return yield* print(plan, [text])
    const fs = yield* FileSystem.FileSystem
    yield* Effect.mapError(fs.writeFileString(out.value, `${text}\n`), ({ message }) =>
      refused(`${out.value} cannot be written`, message)
    )
    yield* print({ venueId, file: out.value }, [`Wrote ${out.value}`])
  })
).pipe(
  Command.withDescription("Write a venue's seat map as a pretix seating plan"),
  Command.withExamples([
    {
      command: "onsale venue export 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70 --out arena.pretix.json",
      description: "Into a file"
    }
  ])
)

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const onsale = yield* asOrganiser
    const venues = yield* allPages(undefined, (cursor) =>
      onsale
        .call((api) => api.organiser.venues({ query: { limit: 100, ...cursor } }))
        .pipe(Effect.map(({ nextCursor, venues }) => ({ items: venues, nextCursor })))
    )
    yield* print(
      venues,
      venues.length === 0
        ? ['There are no venues yet: "onsale venue import" makes one.']
        : table(
            ["ID", "NAME", "LOCATION"],
            venues.map(({ id, location, name }) => [id, name, location])
          )
    )
  })
).pipe(Command.withDescription("List the venues"), Command.withAlias("ls"))

export const venue = Command.make("venue").pipe(
  Command.withDescription("Venues and their seat maps: import, export, list"),
  Command.withSubcommands([importPlan, exportPlan, list])
)
