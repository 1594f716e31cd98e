// An issuer of tokens, told what to do by lines of JSON: it makes keys, signs, and goes away.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const at = createRequire(`${process.env.MEC_COMPAT_MODULES}/`).resolve('oauth2-mock-server')
const { OAuth2Server } = await import(pathToFileURL(at))
const server = new OAuth2Server()

const acts = {
  /** Makes a key; from now on it is in the set. */
  key: async ({ alg, kid }) => (await server.issuer.keys.generate(alg, { kid })).kid,
  /** Signs claims beside those that the issuer makes itself. */
  sign: ({ kid, claims }) => {
    const scopesOrTransform = (header, payload) => Object.assign(payload, claims)
    return server.issuer.buildToken({ kid, scopesOrTransform, expiresIn: 600 })
  },
  start: async () => {
    await server.start(0, '127.0.0.1')
    return server.issuer.url
  },
  stop: () => server.stop()
}

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...said } = JSON.parse(line)
  console.log(JSON.stringify((await acts[act](said)) ?? null))
}
