// A state that passes is told as one, so that the client asks again by itself. It says when it was refused, and
// goes on when it is told to.

import { createInterface } from 'node:readline'

import { client, equal, rows } from './harness.mjs'

const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const refusals = []
const retries = []

async function waiting(url, request) {
  retries.push(request.headers['x-retry-count'] ?? request.headers['X-Retry-Count'] ?? null)
  const answer = await fetch(url, request)
  if (answer.status === 503) {
    refusals.push({ code: (await answer.clone().json()).code, tells_when: answer.headers.has('retry-after') })
    if (refusals.length === 1) {
      console.log('refused')
      await told.next()
    }
  }
  return answer
}

const api = client(process.env.MEC_COMPAT_TOKEN, { fetch: waiting })
await rows('the rows are told in the end', api.from('units').select('unit_code').eq('unit_code', 'days'), [{ unit_code: 'days' }])
await equal('the first answer was that it passes', refusals[0], { code: 'store_unavailable', tells_when: true })
await equal('the client asked again', retries.slice(0, 2), [null, '1'])

process.stdin.destroy()
