// In which order and how many rows are told, and how many there are.

import { answers, equal, last, refused, rows, service } from './harness.mjs'

const accounts = (options) => service.from('accounts').select('external_id', options)
const ids = (...external) => external.map((external_id) => ({ external_id }))

await rows('ascending', accounts().order('external_id'), ids('acme', 'acme-team', 'beta', 'gamma'))
await rows('descending', accounts().order('external_id', { ascending: false }), ids('gamma', 'beta', 'acme-team', 'acme'))
await rows('nulls are last', accounts().order('email').order('external_id'), ids('gamma', 'acme', 'acme-team', 'beta'))
await rows('nulls are first where it descends', accounts().order('email', { ascending: false }).order('external_id'), ids('acme-team', 'beta', 'acme', 'gamma'))
await rows('nulls first', accounts().order('email', { nullsFirst: true }).order('external_id'), ids('acme-team', 'beta', 'gamma', 'acme'))
await rows('nulls last', accounts().order('email', { ascending: false, nullsFirst: false }).order('external_id'), ids('acme', 'gamma', 'acme-team', 'beta'))
await rows('by a member of JSON', accounts().order('metadata->>tier').limit(2), ids('acme', 'beta'))
await rows(
  'by a column of a related row',
  service.from('entitlements').select('plans(plan_id)').eq('resource_type_code', 'gpu_hours').order('plans(plan_id)', { ascending: false }),
  [{ plans: { plan_id: 'starter' } }, { plans: { plan_id: 'pro' } }]
)

await rows('a limit', accounts().order('external_id').limit(1), ids('acme'))
await rows('a limit of none', accounts().limit(0), [])
await rows('a range', accounts().order('external_id').range(1, 2), ids('acme-team', 'beta'))
await equal('the range is told', last.headers.get('content-range'), '1-2/*')
await rows('a range beyond the end', accounts().order('external_id').range(3, 9), ids('gamma'))
await rows('a range behind the end', accounts().range(10, 19), [])

for (const count of ['exact', 'planned', 'estimated']) {
  await answers(`an ${count} count`, accounts({ count }).order('external_id'), { status: 200, count: 4, data: ids('acme', 'acme-team', 'beta', 'gamma') })
  await answers(`an ${count} count of a part`, accounts({ count }).order('external_id').range(1, 2), { status: 206, count: 4, data: ids('acme-team', 'beta') })
  await answers(`an ${count} count alone`, accounts({ count, head: true }).eq('status', 'active'), { status: 200, count: 3, data: null, error: null })
  await equal('HEAD has the head of GET', last.headers.get('content-range'), '0-2/3')
}
await answers('a count of nothing', accounts({ count: 'exact' }).eq('external_id', 'nobody'), { status: 200, count: 0, data: [] })
await answers('a count with an inner relation', service.from('accounts').select('external_id,entitlements!inner(plan_id)', { count: 'exact', head: true }).eq('entitlements.resource_type_code', 'gpu_hours'), { count: 2 })
await answers('no count is told without being asked for', accounts().limit(1), { count: null })
await refused('a counted range behind the end', accounts({ count: 'exact' }).range(10, 19), 416, {
  code: 'PGRST103',
  message: 'Requested range not satisfiable',
  details: 'An offset of 10 was requested, but there are only 4 rows.',
  hint: null,
})

const notOne = (rows) => ({ code: 'PGRST116', details: `The result contains ${rows} rows`, hint: null })
await rows('one row', accounts().eq('external_id', 'beta').single(), { external_id: 'beta' })
await refused('one row of none', accounts().eq('external_id', 'nobody').single(), 406, notOne(0))
await refused('one row of two', accounts().like('external_id', 'acme%').single(), 406, notOne(2))
await rows('one row of two with a limit', accounts().like('external_id', 'acme%').order('external_id').limit(1).single(), { external_id: 'acme' })
await rows('one row, perhaps', accounts().eq('external_id', 'beta').maybeSingle(), { external_id: 'beta' })
await rows('perhaps one row of none', accounts().eq('external_id', 'nobody').maybeSingle(), null)
await refused('perhaps one row of two', accounts().like('external_id', 'acme%').maybeSingle(), 406, { code: 'PGRST116' })
await answers('one row and how many there are', accounts({ count: 'exact' }).eq('external_id', 'beta').single(), { count: 1, data: { external_id: 'beta' } })
