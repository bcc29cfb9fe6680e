import { Option } from "effect"
import { describe, expect, it } from "vitest"
import { misuse, type SloOptions } from "../src/slo/SloOptions.ts"

const usual: SloOptions = {
  level: "L1",
  single: false,
  rps: Option.some("auto"),
  share: 1,
  seconds: 60,
  warmUpSeconds: 0,
  mix: "normal",
  flash: false,
  buyers: 20_000,
  seats: 1_000,
  overload: Option.none(),
  scaling: false,
  workers: 1,
  connections: 2_000,
  runners: 3,
  profiles: Option.none(),
  seed: 1,
  json: Option.none(),
  html: Option.some("page.html")
}
const wrong = (said: Partial<SloOptions>) => misuse({ ...usual, ...said })

describe("what a run is told", () => {
  it("is taken where it can be done", () => {
    expect(wrong({})).toBeUndefined()
    expect(wrong({ rps: Option.some("700"), share: 0.7, overload: Option.some(3) })).toBeUndefined()
    expect(wrong({ rps: Option.none(), flash: true, profiles: Option.some("d") })).toBeUndefined()
  })
  it("is refused where it is no number of the kind", () => {
    for (const rps of ["abc", "0", "-1", "Infinity", ""])
      expect(wrong({ rps: Option.some(rps) })).toContain("--rps")
    for (const share of [0, 2]) expect(wrong({ share })).toContain("--share")
    expect(wrong({ seconds: 0 })).toContain("--seconds")
    expect(wrong({ seconds: -5 })).toContain("--seconds")
    expect(wrong({ warmUpSeconds: -1 })).toContain("--warm-up")
    expect(wrong({ overload: Option.some(1) })).toContain("--overload")
  })
  it("is refused where some of it would be left undone without a word", () => {
    expect(wrong({ flash: true, overload: Option.some(3) })).toContain("--flash and --overload")
    expect(wrong({ buyers: 10 })).toContain("--flash")
    expect(wrong({ flash: true })).toContain("--rps")
    expect(wrong({ flash: true, rps: Option.none(), share: 0.5 })).toContain("--share")
    expect(wrong({ flash: true, rps: Option.none(), buyers: 10, seats: 5 })).toBeUndefined()
    expect(wrong({ runners: 2 })).toContain("--runners")
    expect(wrong({ level: "L3", runners: 2 })).toBeUndefined()
    expect(wrong({ scaling: true, overload: Option.some(3) })).toContain("--scaling")
    expect(wrong({ scaling: true, rps: Option.some("700") })).toContain("--rps 700")
    expect(wrong({ scaling: true, rps: Option.none(), share: 0.7 })).toContain("--share 0.7")
    for (const rps of [Option.none(), Option.some("auto")])
      expect(wrong({ scaling: true, rps })).toBeUndefined()
    expect(wrong({ scaling: true, profiles: Option.some("d") })).toContain("--profiles")
  })
})
