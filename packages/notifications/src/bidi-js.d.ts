// The package's types describe its module as CommonJS with a property `default`, which it does not have.
declare module "bidi-js/dist/bidi.mjs" {
  import type { Bidi } from "bidi-js"
  export default function bidiFactory(): Bidi
}
