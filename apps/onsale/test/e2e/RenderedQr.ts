/** Draws the pages of a PDF as a viewer does, and reads the QR codes in the pictures as a camera's program does. */
import { createCanvas } from "@napi-rs/canvas"
import { Effect } from "effect"
import jsqr from "jsqr"
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs"

/** Pixels a point: 144 dpi, about what a phone shows. */
const scale = 2

/** What stands in the QR of each page; undefined where none is found. */
export const read = (pdf: Uint8Array): Effect.Effect<ReadonlyArray<string | undefined>> =>
  Effect.promise(async () => {
    const loading = getDocument({ data: new Uint8Array(pdf), verbosity: 0 })
    const document = await loading.promise
    const codes: Array<string | undefined> = []
    for (let number = 1; number <= document.numPages; number++) {
      const page = await document.getPage(number)
      const viewport = page.getViewport({ scale })
      const canvas = createCanvas(Math.ceil(viewport.width), Math.ceil(viewport.height))
      const context = canvas.getContext("2d")
      // The library's types know the browser's canvas only.
      await page.render({
        canvas: canvas as unknown as HTMLCanvasElement,
        canvasContext: context as unknown as CanvasRenderingContext2D,
        viewport,
        background: "white"
      }).promise
      const { data, height, width } = context.getImageData(0, 0, canvas.width, canvas.height)
      codes.push(
        jsqr.default(new Uint8ClampedArray(data), width, height, { inversionAttempts: "dontInvert" })?.data
      )
      page.cleanup()
    }
    await loading.destroy()
    return codes
  })
