import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { suite } from "@onsale/testing/SearchIndexSuite"
import { Layer } from "effect"
import * as SearchIndexPostgres from "../../src/search/SearchIndexPostgres.ts"

suite("SearchIndex on Postgres", SearchIndexPostgres.layer.pipe(Layer.provide(layerDatabase)))
