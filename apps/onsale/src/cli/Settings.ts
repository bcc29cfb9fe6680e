/** What every command understands: `--json`, `--url`, `--key`. */
import { Flag, GlobalFlag } from "effect/cli"

/** Answers as JSON on stdout, for programs. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Print JSON instead of text, and no progress; a refusal is JSON on stderr"),
    Flag.withDefault(false),
    Flag.withoutNegation
  )
})

export const Url = GlobalFlag.Setting("url")({
  flag: Flag.String("url").pipe(
    Flag.withDescription(
      "Where Onsale runs [ONSALE_URL; default http://localhost:3000, with PORT where that is set]"
    ),
    Flag.withMetavar("URL"),
    Flag.optional
  )
})

export const Key = GlobalFlag.Setting("key")({
  flag: Flag.Redacted("key").pipe(
    Flag.withDescription(
      "The organiser's key [ONSALE_ORGANISER_KEY; default what is in the data directory of ONSALE_DATA_DIR]"
    ),
    Flag.withMetavar("KEY"),
    Flag.optional
  )
})
