import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { bounded } from "../src/MarkStacks.ts"
import { line } from "../src/TextLayout.ts"

/** Names in each script, by its typeface. */
const names: ReadonlyArray<readonly [face: string, names: ReadonlyArray<string>]> = [
  ["bengali", ["শ্রীমতী বন্দ্যোপাধ্যায়", "কৃষ্ণেন্দু ভট্টাচার্য্য"]],
  ["tamil", ["செல்வி கிருஷ்ணன்", "லக்ஷ்மி"]],
  ["telugu", ["శ్రీనివాస", "కృష్ణమూర్తి"]],
  ["malayalam", ["ശ്രീകൃഷ്ണൻ", "നമ്പൂതിരി"]],
  ["kannada", ["ಶ್ರೀಕೃಷ್ಣ", "ಲಕ್ಷ್ಮೀ"]],
  ["gujarati", ["શ્રીકૃષ્ણ", "અંજલિ નરેન્દ્ર"]],
  ["gurmukhi", ["ਸ੍ਰੀ ਗੁਰਪ੍ਰੀਤ", "ਮਨਮੋਹਨ ਸਿੰਘ"]],
  ["oriya", ["ଶ୍ରୀକୃଷ୍ଣ", "ନବୀନ ପଟ୍ଟନାୟକ"]],
  ["sinhala", ["ශ්‍රී ලංකා", "ක්‍රිස්ටෝ"]],
  ["myanmar", ["ကျော်စွာ", "သန္တာ", "အင်္ဂလိပ်", "ကြွှော့်"]],
  ["khmer", ["ភ្នំពេញ", "ស្រីមុំ", "ព្រះនរោត្តម"]],
  ["lao", ["ສົມສັກ", "ໜ້ຳ"]],
  ["georgian", ["ნინო"]],
  ["armenian", ["Հայկ"]],
  ["ethiopic", ["አበበ"]],
  ["tibetan", ["བསྟན་འཛིན་", "སྒྲོལ་མ", "རྒྱ་མཚོ"]],
  ["mongolian", ["ᠴᠢᠩᠭᠢᠰ ᠬᠠᠭᠠᠨ"]],
  ["cherokee", ["ᏍᏏᏉᏯ"]],
  ["canadian-aboriginal", ["ᐃᓄᒃᑎᑐᑦ"]],
  ["nko", ["ߛߎߟߊߡߊߣߊ߫ ߞߊ߲ߕߍ"]],
  ["thaana", ["މުޙައްމަދު"]],
  ["syriac", ["ܡܳܪܝ ܐܦܪܝܡ"]],
  ["javanese", ["ꦱꦿꦶꦩꦸꦭꦾꦤꦶ", "ꦏꦿꦺꦱ꧀ꦤ"]],
  ["balinese", ["ᬓ᭄ᬢᬸᬢ", "ᬰ᭄ᬭᬷ"]],
  ["sundanese", ["ᮊᮥᮞ᮪ᮔᮤ"]],
  ["tifinagh", ["ⴰⵎⵣⵉⵖ"]],
  ["ol-chiki", ["ᱥᱟᱱᱛᱟᱲᱤ"]],
  ["meetei-mayek", ["ꯁ꯭ꯔꯤ ꯃꯤꯇꯩ"]],
  ["lisu", ["ꓡꓲꓢꓴ"]],
  ["yi", ["ꆈꌠ"]],
  ["adlam", ["𞤃𞤢𞤥𞤢𞤣𞤵 𞤀𞤣𞤤𞤢𞤥"]],
  ["devanagari", ["श्रीकृष्ण लक्ष्मी"]],
  ["arabic", ["محمد علي"]],
  ["hebrew", ["שָׁלוֹם"]],
  ["thai", ["น้ำใจ ปู่"]]
]

/** Signs that join letters, and are not seen then. */
const joiners: { readonly [face: string]: number } = {
  bengali: 0x9cd,
  telugu: 0xc4d,
  kannada: 0xccd,
  gujarati: 0xacd,
  gurmukhi: 0xa4d,
  oriya: 0xb4d,
  myanmar: 0x1039,
  khmer: 0x17d2,
  javanese: 0xa9c0,
  balinese: 0x1b44,
  devanagari: 0x94d
}

const style = { weight: "regular", size: 10 } as const
const oneWeight = ["mongolian", "nko", "tifinagh", "yi"]

/** The one run of a text, and its glyphs. */
const shaped = (text: string, weight: "regular" | "bold" = "regular") => {
  const { runs } = line(text.normalize("NFC"), { weight, size: 10 })
  const [run = assert.fail(text)] = runs
  assert.strictEqual(runs.length, 1, text)
  return { face: run.face, ...run.face.font.layout(run.text) }
}

describe("ScriptFonts", () => {
  it.each(names)("names in %s are printed in its typeface, whole, in two weights", (script, texts) => {
    for (const text of texts) {
      for (const weight of ["regular", "bold"] as const) {
        const { face, glyphs } = shaped(text, weight)
        const number = weight === "bold" && !oneWeight.includes(script) ? 700 : 400
        assert.match(face.name, new RegExp(`^noto-.*-${script}-${number}-normal$`), text)
        assert.isFalse(
          glyphs.some(({ id }) => id === 0),
          text
        )
      }
    }
  })

  it.each(names)("no sign that joins letters is seen in names in %s", (script, texts) => {
    const joiner = joiners[script]
    if (joiner === undefined) return
    for (const text of texts) {
      const { face, glyphs } = shaped(text)
      const visible = face.font.glyphForCodePoint(joiner).id
      assert.notInclude(
        glyphs.map(({ id }) => id),
        visible,
        text
      )
    }
  })

  it("a vowel that is written before its consonant stands before it", () => {
    for (const [text, vowel] of [
      ["কি", 0x9bf],
      ["செ", 0xbc6],
      ["കെ", 0xd46],
      ["ကေ", 0x1031],
      ["សេ", 0x17c1],
      ["කෙ", 0xdd9]
    ] as const) {
      const { face, glyphs } = shaped(text)
      assert.strictEqual(glyphs[0]?.id, face.font.glyphForCodePoint(vowel).id, text)
    }
  })

  it.each(names)("a document is searched for names in %s by all their letters", (_, texts) => {
    for (const text of texts) {
      const { glyphs } = shaped(text)
      const letters = String.fromCodePoint(...glyphs.flatMap(({ codePoints }) => codePoints))
      // Some are printed as the two that they are made of.
      const parts = (word: string) => Array.from(word.normalize("NFKD")).toSorted()
      assert.deepStrictEqual(parts(letters), parts(text), text)
    }
  })

  it.each(names)("no mark of names in %s is too many", (_, texts) => {
    for (const text of texts) {
      for (const weight of ["regular", "bold"] as const) {
        assert.strictEqual(bounded(text.normalize("NFC"), weight), text.normalize("NFC"))
      }
    }
  })

  it("words that are written from the right stand in their order, whatever is between them", () => {
    const texts = line("𞤀𞤣 (Ada) 𞤃𞤢", style).runs.map(({ text }) => text.trim())
    assert.deepStrictEqual(texts, ["𞤃𞤢", "(", "Ada", ")", "𞤀𞤣"])
  })

  it("numbers stand from the left between words that are written from the right", () => {
    for (const [text, digits] of [
      ["محمد ١٢٣ علي", "١٢٣"],
      ["محمد ۴۵۶", "۴۵۶"]
    ] as const) {
      const run = line(text, style).runs.find((run) => run.text === digits)
      const drawn = run?.face.font.layout(digits).glyphs.flatMap(({ codePoints }) => codePoints)
      assert.strictEqual(String.fromCodePoint(...(drawn ?? [])), digits)
    }
  })

  it("a sign of no script has the form of the script beside it", () => {
    const [run, ...others] = line("নাম। নাম", style).runs
    assert.deepStrictEqual(others, [])
    assert.match(run?.face.name ?? "", /bengali/)
  })

  it("nothing of it is loaded for Latin, Greek, Cyrillic and Chinese", () => {
    const script = `
      const { line } = await import(${JSON.stringify(new URL("../src/TextLayout.ts", import.meta.url).href)})
      // Node's own use of it, reading TypeScript, is over.
      WebAssembly.Module = class { constructor() { throw new Error("HarfBuzz was loaded") } }
      for (const text of ["Ada Łoś", "Ελλάδα", "Ирина", "東京", "東京、渋谷", "서울", "Ọ́lá"]) line(text, { weight: "bold", size: 10 })
      let failed = ""
      try { line("নাম", { weight: "bold", size: 10 }) } catch (error) { failed = error.message }
      process.stdout.write(failed)`
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })
    assert.strictEqual(said, "HarfBuzz was loaded")
  }, 60_000)
})
