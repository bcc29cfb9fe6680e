/** Sitemaps (sitemaps.org 0.9) and robots.txt as text. Pure. */
import type { SitemapEntry } from "@onsale/catalog/PublicEvents"

const head = '<?xml version="1.0" encoding="UTF-8"?>\n'
const schema = "http://www.sitemaps.org/schemas/sitemap/0.9"

const escape = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;")

const lastmod = (ms: number): string => `<lastmod>${new Date(ms).toISOString()}</lastmod>`

/** Pages are below the same folder as the addresses in them, as they have to be. */
export const index = (
  pages: ReadonlyArray<{ readonly page: number; readonly changedAtMs: number }>,
  base: string
): string =>
  `${head}<sitemapindex xmlns="${schema}">\n${pages
    .map(
      ({ changedAtMs, page }) =>
        `<sitemap><loc>${escape(`${base}/sitemap.xml?page=${page}`)}</loc>${lastmod(changedAtMs)}</sitemap>\n`
    )
    .join("")}</sitemapindex>\n`

/** About 150 bytes an address: 50,000 are far from the 50 MB that a sitemap may have. */
export const page = (
  entries: ReadonlyArray<SitemapEntry>,
  urlOf: (eventId: SitemapEntry["id"]) => string
): string =>
  `${head}<urlset xmlns="${schema}">\n${entries
    .map(({ changedAtMs, id }) => `<url><loc>${escape(urlOf(id))}</loc>${lastmod(changedAtMs)}</url>\n`)
    .join("")}</urlset>\n`

/** Orders and holds have addresses that only their owners know; crawlers that find one leave it alone. */
export const robots = (base: string): string =>
  [
    "User-agent: *",
    "Disallow: /api/v1/organiser/",
    "Disallow: /api/v1/orders/",
    "Disallow: /api/v1/holds/",
    "Disallow: /api/v1/tickets/",
    "",
    `Sitemap: ${base}/sitemap.xml`,
    ""
  ].join("\n")
