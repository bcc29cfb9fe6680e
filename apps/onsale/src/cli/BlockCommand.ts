/** `onsale block`: house seats, kept for those whose voucher unlocks them. */
import type { Block } from "@onsale/contracts/catalog/Block"
import { DisplayName } from "@onsale/contracts/catalog/Event"
import { BlockId, EventId, RowId, SectionId } from "@onsale/contracts/Ids"
import { Effect, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { count, plural } from "../Wording.ts"
import * as Claim from "./Claim.ts"
import { asOrganiser } from "./Connection.ts"
import { usage } from "./Failure.ts"
import { print, table } from "./Output.ts"

const eventId = Argument.String("EVENT_ID").pipe(
  Argument.withDescription("The event's id"),
  Argument.withSchema(EventId)
)

const places = {
  seats: Flag.String("seats").pipe(
    Flag.withDescription("These seats, by id, with commas between them"),
    Flag.withMetavar("ID,ID"),
    Flag.atMost(1000)
  ),
  areas: Flag.String("area").pipe(
    Flag.withDescription("N places of an area, by its id; once for each area"),
    Flag.withMetavar("ID=N"),
    Flag.atMost(100)
  )
}

const lines = (block: Block): ReadonlyArray<string> => [
  `Block     ${block.id}`,
  `Name      ${block.name}`,
  `Keeps     ${keeps(block)}`,
  ...(block.areas.length === 0
    ? []
    : [
        "",
        ...table(
          ["AREA", "KEPT", "OF", "ID FOR ITS PLACES"],
          block.areas.map(({ areaId, kept, name, quantity }) => [name, kept, quantity, areaId])
        )
      ])
]

const keeps = ({ areas, seats }: Block): string => {
  const kept = areas.reduce((sum, area) => sum + area.kept, 0)
  return [plural(seats.length, "seat"), ...(areas.length === 0 ? [] : [`${count(kept)} places`])].join(", ")
}

const ids = <Id>(flag: string, texts: ReadonlyArray<string>, schema: Schema.Codec<Id, string>) => {
  const decoded = Schema.decodeUnknownResult(Schema.Array(schema))(Claim.listed(texts))
  return Result.isSuccess(decoded)
    ? Effect.succeed(decoded.success)
    : Effect.fail(
        usage(`${flag} has what is no id of it`, decoded.failure.message.replaceAll(/\s*\n\s*/g, " "))
      )
}

const add = Command.make(
  "add",
  {
    eventId,
    name: Flag.String("name").pipe(
      Flag.withDescription("What they are kept for"),
      Flag.withMetavar("NAME"),
      Flag.withSchema(DisplayName)
    ),
    ...places,
    rows: Flag.String("rows").pipe(
      Flag.withDescription("All seats of these rows, by id"),
      Flag.withMetavar("ID,ID"),
      Flag.atMost(1000)
    ),
    sections: Flag.String("sections").pipe(
      Flag.withDescription("All seats of these sections, by id"),
      Flag.withMetavar("ID,ID"),
      Flag.atMost(1000)
    )
  },
  Effect.fnUntraced(function* (input) {
    const seats = yield* Claim.parseSeats(input.seats)
    const rows = yield* ids("--rows", input.rows, RowId)
    const sections = yield* ids("--sections", input.sections, SectionId)
    const areas = yield* Effect.forEach(input.areas, Claim.parseArea)
    if (seats.length + rows.length + sections.length + areas.length === 0)
      return yield* usage(
        "Nothing is named",
        "Say what to keep with --seats, --rows, --sections or --area ID=N"
      )
    const onsale = yield* asOrganiser
    const block = yield* onsale.call((api) =>
      api.organiser.createBlock({
        params: { eventId: input.eventId },
        payload: { name: input.name, seats, rows, sections, areas }
      })
    )
    yield* print(block, lines(block))
  })
).pipe(
  Command.withDescription(
    "Keep seats and places from everybody whose voucher does not unlock the block. What is held or sold at the moment is kept from when it is free again."
  ),
  Command.withShortDescription("Keep seats and places"),
  Command.withExamples([
    {
      command:
        "onsale block add 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --name Artists --rows 019a9c3e-5b7c-7d21-9f3a-2b1c4de00000 --area 019a9c3e-5b7c-7d21-9f3a-2b1c4d800000=20",
      description: "A row, and twenty places of an area"
    }
  ])
)

const list = Command.make(
  "list",
  { eventId },
  Effect.fnUntraced(function* ({ eventId }) {
    const onsale = yield* asOrganiser
    const { blocks } = yield* onsale.call((api) => api.organiser.blocks({ params: { eventId } }))
    yield* print(
      blocks,
      blocks.length === 0
        ? ["The event has no blocks."]
        : table(
            ["ID", "NAME", "KEEPS"],
            blocks.map((block) => [block.id, block.name, keeps(block)])
          )
    )
  })
).pipe(Command.withDescription("List the blocks of an event, and what they keep"), Command.withAlias("ls"))

const release = Command.make(
  "release",
  {
    eventId,
    blockId: Argument.String("BLOCK_ID").pipe(
      Argument.withDescription('The block, as "onsale block list" tells'),
      Argument.withSchema(BlockId)
    ),
    ...places
  },
  Effect.fnUntraced(function* (input) {
    const seats = yield* Claim.parseSeats(input.seats)
    const areas = yield* Effect.forEach(input.areas, Claim.parseArea)
    const onsale = yield* asOrganiser
    const block = yield* onsale.call((api) =>
      api.organiser.releaseBlock({
        params: { eventId: input.eventId, blockId: input.blockId },
        payload: seats.length + areas.length === 0 ? {} : { seats, areas }
      })
    )
    yield* print(block, lines(block))
  })
).pipe(
  Command.withDescription(
    "Give what a block keeps to everybody: the seats and places that are named, or all of it. Its places go by the ids that the block has for them."
  ),
  Command.withShortDescription("Give seats and places of a block to everybody"),
  Command.withExamples([
    {
      command:
        "onsale block release 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70",
      description: "All of a block"
    }
  ])
)

export const block = Command.make("block").pipe(
  Command.withDescription("House seats of an event: add, list, release"),
  Command.withSubcommands([add, list, release])
)
