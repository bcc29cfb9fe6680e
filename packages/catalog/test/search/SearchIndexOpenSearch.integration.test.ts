import { suite } from "@onsale/testing/SearchIndexSuite"
import { Config, Effect, Layer, Option, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { it } from "vitest"
import * as SearchIndexOpenSearch from "../../src/search/SearchIndexOpenSearch.ts"

/** An OpenSearch or Elasticsearch to run the suite on; the index `onsale-test` there is deleted first. */
const url = Effect.runSync(Config.option(Config.NonEmptyString("ONSALE_TEST_OPENSEARCH_URL")))
const index = "onsale-test"

if (Option.isNone(url)) {
  it.skip("SKIPPED, NOT TESTED: SearchIndex on OpenSearch (no ONSALE_TEST_OPENSEARCH_URL)", () => {})
} else {
  const empty = Layer.effectDiscard(
    Effect.flatMap(HttpClient.HttpClient, (client) =>
      client.execute(HttpClientRequest.delete(`${url.value.replace(/\/$/, "")}/${index}`))
    )
  )
  suite(
    "SearchIndex on OpenSearch",
    SearchIndexOpenSearch.layer({ url: Redacted.make(url.value), index }).pipe(
      Layer.provide(empty),
      Layer.provide(FetchHttpClient.layer)
    )
  )
}
