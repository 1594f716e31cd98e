// What the programs share: the clients, and checks that name what they prove.

import { deepStrictEqual } from 'node:assert'
import { createRequire } from 'node:module'

const { MEC_COMPAT_MODULES, MEC_COMPAT_URL, MEC_COMPAT_TOKEN, MEC_COMPAT_ADMIN_TOKEN, MEC_COMPAT_USER_TOKEN } =
  process.env
const { PostgrestClient } = createRequire(`${MEC_COMPAT_MODULES}/`)('@supabase/postgrest-js')

export const ACME = '00000000-0000-7000-8000-00000000000a'
export const BETA = '00000000-0000-7000-8000-00000000000b'
export const TEAM = '00000000-0000-7000-8000-00000000000c'
export const GAMMA = '00000000-0000-7000-8000-00000000000d'

/** The answer to the last request of any client. */
export let last = null

/** A client with a token, or without one. */
export function client(token, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {}
  const noting = async (url, request) => {
    last = await fetch(url, request).catch(lost)
    // Who is answered so asks again; nothing here passes by itself.
    if (last.status === 503 || last.status === 520) failed('no state that passes is told', last.status)
    return last
  }
  return new PostgrestClient(MEC_COMPAT_URL, { headers, fetch: noting, ...options })
}

/** Without its server a program ends at once, however often the client would ask again. */
function lost(error) {
  if (error.name === 'AbortError') throw error
  console.log(`FAILED to reach the server: ${error.cause ?? error}`)
  process.exit(1)
}

export const service = client(MEC_COMPAT_TOKEN)
export const admin = client(MEC_COMPAT_ADMIN_TOKEN)
export const user = client(MEC_COMPAT_USER_TOKEN)
export const anonymous = client(null)
export const ofToken = (options) => client(MEC_COMPAT_TOKEN, options)

let passed = 0
let failures = 0

function failed(sentence, what) {
  failures += 1
  console.log(`FAILED ${sentence}: ${what}`)
}

/** The members of an answer that the expected ones have, too, are equal to them. */
export async function answers(sentence, asked, expected) {
  try {
    const answer = await asked
    const told = Object.fromEntries(Object.keys(expected).map((name) => [name, answer[name]]))
    deepStrictEqual(plain(told), plain(expected))
    passed += 1
  } catch (error) {
    failed(sentence, error.message)
  }
}

/** Without classes, as it would be written. */
const plain = (value) => JSON.parse(JSON.stringify(value))

/** An answer has exactly these rows, or this one. */
export const rows = (sentence, asked, data) =>
  answers(sentence, asked, { error: null, status: 200, data })

/** A request is refused with a status and the error's members. */
export const refused = (sentence, asked, status, error) =>
  answers(
    sentence,
    Promise.resolve(asked).then(({ status, error, data }) => ({
      status,
      data,
      ...Object.fromEntries(['code', 'message', 'details', 'hint'].map((name) => [name, error?.[name]])),
    })),
    { status, data: null, ...error }
  )

/** Two values are equal. */
export const equal = (sentence, told, expected) => answers(sentence, { told }, { told: expected })

/** Tells how it went, and fails the program where anything did not hold. */
export function done() {
  console.log(`${passed} hold, ${failures} fail`)
  process.exitCode = failures === 0 && passed > 0 ? 0 : 1
}
