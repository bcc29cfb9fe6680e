/** `onsale notifications preview`: what buyers are told, with sample contents. */
import { Locale } from "@onsale/contracts/notifications/Locale"
import { Effect, FileSystem, Option, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { usage } from "./Failure.ts"
import { note, print } from "./Output.ts"
import { plural } from "../Wording.ts"

const formats = ["html", "text", "sms", "push"] as const
const endings: { readonly [F in (typeof formats)[number]]: string } = {
  html: "html",
  text: "txt",
  sms: "sms.txt",
  push: "push.txt"
}

export const preview = Command.make(
  "preview",
  {
    notice: Argument.String("NOTICE").pipe(
      Argument.withDescription("Such as OrderConfirmed; all of them when left out"),
      Argument.optional
    ),
    locale: Flag.Literals("locale", Locale.literals).pipe(
      Flag.withDescription("In that language; in all of them when left out"),
      Flag.optional
    ),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription("What to show [default: text, or html with --out]"),
      Flag.optional
    ),
    out: Flag.String("out").pipe(
      Flag.withDescription("Write a file each into that directory, which is made when missing"),
      Flag.withMetavar("DIR"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ notice, out, ...flags }) {
    const [{ samples }, { render }, Sms] = yield* Effect.promise(() =>
      Promise.all([
        import("@onsale/notifications/templates/Samples"),
        import("@onsale/notifications/templates/Templates"),
        import("@onsale/notifications/templates/Sms")
      ])
    )
    const named = Object.entries(samples).filter(
      ([tag]) => Option.isNone(notice) || tag.toLowerCase() === notice.value.toLowerCase()
    )
    if (named.length === 0) {
      return yield* usage("There is no such notice", `There are ${Object.keys(samples).join(", ")}`)
    }
    const format = Option.getOrElse(flags.format, () => (Option.isSome(out) ? "html" : "text"))
    const locales = Option.match(flags.locale, { onNone: () => Locale.literals, onSome: (one) => [one] })
    const previews = named.flatMap(([tag, contents]) =>
      contents.flatMap((content, i) =>
        locales.map((locale) => {
          const rendered = render(content, locale, {
            unsubscribe: "https://tickets.example/api/v1/unsubscribe/sample"
          })
          const { encoding, segments, units } = Sms.length(rendered.sms)
          const text = {
            html: rendered.html,
            text: `Subject: ${rendered.subject}\n\n${rendered.text}`,
            sms: `${rendered.sms}\n(${encoding}, ${units} units, ${plural(segments, "segment")})\n`,
            push: `${rendered.push.title}\n${rendered.push.body}\n`
          }[format]
          return {
            name: `${tag}-${i + 1}.${locale}`,
            ...rendered,
            smsLength: { encoding, units, segments },
            text
          }
        })
      )
    )
    if (Option.isNone(out)) {
      return yield* print(
        previews.map(({ name, push, sms, smsLength, subject }) => ({ name, subject, sms, smsLength, push })),
        previews.flatMap(({ name, text }) => (previews.length === 1 ? [text] : [`=== ${name}`, "", text]))
      )
    }
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* Effect.gen(function* () {
      yield* fs.makeDirectory(out.value, { recursive: true })
      for (const { name, text } of previews)
        yield* fs.writeFileString(path.join(out.value, `${name}.${endings[format]}`), text)
    }).pipe(Effect.catch(({ message }) => usage(`Nothing can be written to ${out.value}`, message)))
    yield* note(`Wrote ${plural(previews.length, "file")} to ${out.value}`)
  })
).pipe(
  Command.withDescription(
    "Show what buyers are told, by sample contents: a notice, or all of them, in a language, or all of them. Needs no service. While one runs with its own mail catcher, /dev/mail/templates shows the same."
  ),
  Command.withShortDescription("Show what buyers are told"),
  Command.withExamples([
    { command: "onsale notifications preview Refunded --locale fr", description: "As text" },
    {
      command: "onsale notifications preview --out previews",
      description: "All of them as HTML, a file each"
    }
  ])
)
