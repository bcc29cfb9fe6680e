// The library takes a font that is parsed already as well, which its types leave out: parsing is half of the
// work of a small document.
import type { Font } from "fontkit"

declare global {
  namespace PDFKit.Mixins {
    interface PDFFont {
      registerFont(name: string, src: Font): this
    }
  }
}
