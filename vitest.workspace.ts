import { defineConfig } from "vitest/config"

const tests = (pattern: string) =>
  ["packages", "apps", "infra"].map((folder) => `${folder}/**/test/**/${pattern}`)
const integration = tests("*.integration.test.ts")
const cluster = tests("*.cluster.test.ts")
/** They put a module of their own in another's place. */
const mutants = tests("*Mutants.test.ts")

/** CI has two cores. Projects of as many workers run side by side. */
const maxWorkers = 2

/**
 * Unit tests take milliseconds and need nothing; those of mutants break one rule at a time and see it told;
 * integration tests use a real Postgres, sockets or processes; those of the cluster a container engine.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: tests("*.test.ts"),
          exclude: [...integration, ...cluster, ...mutants, "**/node_modules/**"],
          maxWorkers,
          // Half of the time would go into reading the same modules for each file; none of these files changes any.
          isolate: false
        }
      },
      {
        test: {
          name: "mutants",
          include: mutants,
          exclude: ["**/node_modules/**"],
          maxWorkers
        }
      },
      {
        test: {
          name: "integration",
          include: integration,
          exclude: ["**/node_modules/**"],
          globalSetup: ["packages/testing/src/PostgresGlobalSetup.ts"],
          // Forks, because the tests start servers and send signals, which threads cannot take.
          pool: "forks",
          // Each file has a Postgres pool and often a server of its own.
          maxWorkers,
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      },
      {
        test: {
          name: "cluster",
          include: cluster,
          exclude: ["**/node_modules/**"],
          pool: "forks",
          // One cluster at a time: a dozen processes are enough for two cores.
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 300_000
        }
      }
    ]
  }
})
