import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { check } from "../scripts/boundaries.ts"

const workspace = (files: Readonly<Record<string, string>>) => {
  const root = mkdtempSync(join(tmpdir(), "onsale-boundaries-"))
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(file)), { recursive: true })
      writeFileSync(join(root, file), text)
    }
    return check(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test("what the table allows is silent", () => {
  expect(
    workspace({
      "packages/contracts/src/Money.ts": 'import { Schema } from "effect"',
      "packages/platform/src/Sql.ts":
        'import { PgClient } from "@effect/sql-pg"\nimport { createServer } from "node:net"',
      "packages/inventory/src/Inventory.ts":
        'import type { Effect } from "effect"\nimport { Option, Result } from "effect"\nimport { Money } from "@onsale/contracts/Money"\nimport { rank } from "./Rank.ts"',
      "packages/inventory/src/Rank.ts": "// import { Effect } from 'effect'\nexport const rank = 1",
      "packages/inventory/src/Store.ts":
        'import { Effect, Layer } from "effect"\nimport { Sql } from "@onsale/platform/Sql"',
      "packages/inventory/test/Inventory.test.ts":
        'import { fixture } from "@onsale/testing/Fixture"\nimport { decide } from "@onsale/inventory/Inventory"\nimport "../src/Rank.ts"',
      "apps/gateway/src/Api.ts": 'import { x } from "@onsale/inventory/Store"',
      "apps/onsale/src/main.ts": 'const x = import("@onsale/gateway/Api")',
      "apps/loadgen/src/bench.ts": 'import { Money } from "@onsale/contracts/Money"',
      "packages/testing/src/Fixture.ts": 'import { x } from "@onsale/gateway/Api"',
      "migrations/0001_x.ts": 'import { y } from "@onsale/platform/Jobs"'
    })
  ).toEqual([])
})

test.each([
  ["contracts: effect only", "packages/contracts/src/A.ts", 'import { join } from "node:path"'],
  [
    "contracts: no package of ours",
    "packages/contracts/src/A.ts",
    'import { x } from "@onsale/platform/Sql"'
  ],
  ["platform: no contracts", "packages/platform/src/A.ts", 'import { x } from "@onsale/contracts/Money"'],
  [
    "platform: not even their types",
    "packages/platform/src/A.ts",
    'import type { x } from "@onsale/contracts/Money"'
  ],
  [
    "a context: no other context",
    "packages/booking/src/A.ts",
    'import {\n  x\n} from "@onsale/inventory/Store"'
  ],
  [
    "a context: no other context, by export",
    "packages/booking/src/A.ts",
    'export * from "@onsale/inventory/Store"'
  ],
  [
    "a context: no other context, dynamically",
    "packages/booking/src/A.ts",
    'await import("@onsale/inventory/Store")'
  ],
  [
    "a context's tests: no other context",
    "packages/booking/test/A.test.ts",
    'import { x } from "@onsale/inventory/Store"'
  ],
  ["a context: no app", "packages/booking/src/A.ts", 'import { x } from "@onsale/gateway/Api"'],
  ["gateway: no app", "apps/gateway/src/A.ts", 'import { x } from "@onsale/app/main"'],
  ["loadgen: contracts only", "apps/loadgen/src/A.ts", 'import { x } from "@onsale/platform/Sql"'],
  [
    "psp-sandbox: contracts only",
    "apps/psp-sandbox/src/A.ts",
    'import { x } from "@onsale/payments/Payment"'
  ],
  ["web: contracts only", "apps/web/src/A.ts", 'import { x } from "@onsale/catalog/Venue"'],
  ["testing: only tests", "apps/onsale/src/A.ts", 'import { x } from "@onsale/testing/Poll"'],
  ["migrations: no context", "migrations/0001_x.ts", 'import { x } from "@onsale/catalog/Venue"'],
  ["no relative way out", "packages/booking/src/A.ts", 'import { x } from "../../inventory/src/Store.ts"'],
  ["source does not use tests", "packages/booking/src/A.ts", 'import { x } from "../test/B.ts"'],
  ["the own package by its path", "packages/booking/src/A.ts", 'import { x } from "@onsale/booking/B"'],
  ["the ending is named", "packages/booking/src/A.ts", 'import { x } from "./B"'],
  ["no clock", "packages/booking/src/A.ts", "const at = new Date()"],
  ["a folder the table lacks", "packages/helpers/src/A.ts", ""],
  ["pure: no Effect", "packages/inventory/src/Inventory.ts", 'import { Effect } from "effect"'],
  ["pure: no whole effect", "packages/inventory/src/Inventory.ts", 'import * as E from "effect"'],
  ["pure: no SQL", "packages/booking/src/Order.ts", 'import { SqlClient } from "effect/sql"'],
  ["pure: no platform", "packages/payments/src/Payment.ts", 'import { x } from "@onsale/platform/Sql"'],
  [
    "pure: no clock",
    "packages/payments/src/Payment.ts",
    'import { DateTime } from "effect"\nconst now = DateTime.nowUnsafe()'
  ],
  ["pure: no chance", "packages/inventory/src/Inventory.ts", "const x = Math.random()"]
])("%s", (_, file, text) => {
  const breaches = workspace({ [file]: text })
  expect(breaches).toHaveLength(1)
  expect(breaches[0]).toContain(file)
})

test("a pure file is as pure as what it uses, at any distance", () => {
  expect(
    workspace({
      "packages/inventory/src/Inventory.ts": 'import { x } from "./Layout.ts"',
      "packages/inventory/src/Layout.ts": 'import { y } from "./Store.ts"',
      "packages/inventory/src/Store.ts": 'import { Layer } from "effect"'
    })
  ).toEqual([
    "packages/inventory/src/Store.ts:1 is used by the pure packages/inventory/src/Inventory.ts: may not import Layer of effect"
  ])
})
