// What is refused, and how the client tells it.

import { anonymous, answers, client, equal, last, ofToken, refused, rows, service } from './harness.mjs'

await refused('an unknown resource', service.from('acounts').select(), 404, {
  code: 'PGRST205',
  message: "Could not find the table 'api.acounts' in the schema cache",
  details: null,
  hint: "Perhaps you meant the table 'api.accounts'",
})
await refused('an unknown column', service.from('accounts').select('external'), 400, { code: '42703', details: null })
await refused('a filter of an unknown column', service.from('accounts').select().eq('external', 'x'), 400, { code: '42703' })
await refused('an order by an unknown column', service.from('accounts').select().order('external'), 400, { code: '42703' })
await refused('text that is no id', service.from('accounts').select().eq('account_id', 'acme'), 400, {
  code: '22P02',
  message: 'invalid input syntax for type uuid',
  details: 'acme',
})
await refused('text that is no number', service.from('entitlements').select().gt('quantity_allowed', 'many'), 400, {
  code: '22P02',
  message: 'invalid input syntax for type numeric',
  details: 'many',
})
await refused('an operator that is not there', service.from('accounts').select().filter('external_id', 'equals', 'x'), 400, {
  code: 'PGRST100',
})
await refused('a relation that is not there', service.from('accounts').select('units(*)'), 400, { code: 'PGRST200' })
await refused('an aggregate', service.from('accounts').select('count()'), 400, {
  code: 'PGRST123',
  message: 'Use of aggregate functions is not allowed',
})
await refused('a plan of the query', service.from('accounts').select().explain(), 406, { code: 'PGRST107' })
await refused('an order by related rows that are not told', service.from('entitlements').select().order('plans(plan_id)'), 400, {
  code: 'PGRST108',
})
await refused('an order by many related rows', service.from('accounts').select('entitlements(*)').order('entitlements(plan_id)'), 400, {
  code: 'PGRST118',
})

await refused('what wants a token', anonymous.from('accounts').select(), 401, { code: 'missing_token' })
await refused('a token that is none', client('nonsense').from('accounts').select(), 401, { hint: null })

await answers('HEAD has no error to tell', service.from('accounts').select('nothing', { head: true }), { status: 400, data: null })
await equal('but its code', last.headers.get('proxy-status'), 'PostgREST; error=42703')
await answers('HEAD of an unknown resource is no success', service.from('nothing').select('*', { head: true }), { data: null })
await equal('its status', last.status, 404)
await equal('its code', last.headers.get('proxy-status'), 'PostgREST; error=PGRST205')

await refused(
  'a preference that is not known, where all are to be',
  service.from('accounts').select().setHeader('Prefer', 'handling=strict, speed=light'),
  400,
  { code: 'PGRST122', details: 'Invalid preferences: speed=light' }
)
await answers('elsewhere it is passed over', service.from('accounts').select('external_id').eq('external_id', 'beta').setHeader('Prefer', 'speed=light'), {
  status: 200,
  data: [{ external_id: 'beta' }],
})

const units = (api) => api.from('units').select('unit_code').eq('unit_code', 'days')
await rows('the schema api', units(service.schema('api')), [{ unit_code: 'days' }])
await rows('the schema public is another name of it', units(ofToken({ schema: 'public' })), [{ unit_code: 'days' }])
await refused('no other schema', units(service.schema('private')), 406, { code: 'PGRST106' })

const aborted = new AbortController()
aborted.abort()
await answers('a request that is given up is not asked again', units(service).abortSignal(aborted.signal), { status: 0, data: null })
await rows('and takes nothing along', units(service), [{ unit_code: 'days' }])

let thrown = null
try {
  await service.from('accounts').select('nothing').throwOnError()
} catch (error) {
  thrown = error
}
await answers('an error is thrown where that is asked for', thrown, { name: 'PostgrestError', code: '42703' })
