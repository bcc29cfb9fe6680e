/** What stands in a PDF, as a reader's program lets it be copied. */
import { Effect } from "effect"
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs"

/** The text of each page, its pieces with a space between them. */
export const read = (pdf: Uint8Array): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => {
    const loading = getDocument({ data: new Uint8Array(pdf), verbosity: 0 })
    const document = await loading.promise
    const pages: Array<string> = []
    for (let number = 1; number <= document.numPages; number++) {
      const { items } = await (await document.getPage(number)).getTextContent()
      pages.push(items.flatMap((item) => ("str" in item ? [item.str] : [])).join(" "))
    }
    await loading.destroy()
    return pages
  })
