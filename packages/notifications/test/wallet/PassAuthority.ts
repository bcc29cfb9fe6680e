/** Certificates for passes, made by an authority of our own with openssl. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const passphrase = "correct horse"

/** A directory with `ca.pem`, `pass.pem` and `pass.key`, which has a passphrase. */
export const make = () => {
  const directory = mkdtempSync(join(tmpdir(), "onsale-pass-"))
  const openssl = (...args: ReadonlyArray<string>) =>
    execFileSync("openssl", args, { cwd: directory, stdio: "pipe" })
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "30",
    "-subj",
    "/CN=Test authority"
  )
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-passout",
    `pass:${passphrase}`,
    "-keyout",
    "pass.key",
    "-out",
    "pass.csr",
    "-subj",
    "/CN=Pass Type ID/UID=pass.example.tickets/OU=TEAM123456"
  )
  openssl(
    "x509",
    "-req",
    "-in",
    "pass.csr",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-out",
    "pass.pem",
    "-days",
    "30"
  )
  return {
    directory,
    openssl,
    read: (name: string) => readFileSync(join(directory, name), "utf8"),
    remove: () => rmSync(directory, { recursive: true })
  }
}
