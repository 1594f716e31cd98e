// RPCs through the client: by POST, GET and HEAD.

import { BETA, answers, refused, rows, service, user } from './harness.mjs'

const runs = { p_external_id: 'acme', p_resource_type: 'benchmark_runs' }
const january = { p_external_id: 'acme', p_resource_type: 'gpu_hours', p_window_start: '2026-01-01T00:00:00Z', p_window_end: '2026-02-01T00:00:00Z' }

const decision = (data) => ({ decision: data?.decision, code: data?.code, quantity_allowed: data?.quantity_allowed })
const allowed = { decision: 'allow', code: 'within_entitlement', quantity_allowed: 100 }
for (const options of [{}, { get: true }]) {
  const how = options.get ? 'by GET' : 'by POST'
  const checked = service.rpc('check_entitlement', runs, options).then((answer) => ({ ...answer, data: decision(answer.data) }))
  await rows(`one record is an object ${how}`, checked, allowed)
  await rows(`a number is a number ${how}`, service.rpc('get_usage', january, options), 6.75)
  await rows(
    `columns of a record ${how}`,
    service.rpc('get_window_boundaries', { p_window_type: 'calendar_month', p_reference_time: '2026-01-15T12:00:00Z', p_timezone: 'UTC' }, options),
    { window_start: '2026-01-01T00:00:00+00:00', window_end: '2026-02-01T00:00:00+00:00' }
  )
}
await answers('HEAD tells that it would be answered', service.rpc('check_entitlement', runs, { head: true }), { status: 200, data: null, error: null })
await rows(
  'one record as one row',
  service.rpc('get_window_boundaries', { p_window_type: 'calendar_day', p_reference_time: '2026-01-15T12:00:00Z', p_timezone: 'UTC' }).single(),
  { window_start: '2026-01-15T00:00:00+00:00', window_end: '2026-01-16T00:00:00+00:00' }
)

const metered = { p_idempotency_key: 'js-call', p_account_id: BETA, p_resource_type: 'gpu_hours', p_quantity: 0.125, p_occurred_at: '2025-06-01T00:00:00Z' }
const first = await service.rpc('meter_consumption', metered)
await rows('a repeated key has the first answer', service.rpc('meter_consumption', metered), first.data)
await rows(
  'and counts once',
  service.rpc('get_usage', { ...january, p_external_id: 'beta', p_window_start: '2025-06-01T00:00:00Z', p_window_end: '2025-07-01T00:00:00Z', p_include_children: false }),
  0.125
)
await refused('another call with the key is a conflict', service.rpc('meter_consumption', { ...metered, p_quantity: 1 }), 409, { code: 'idempotency_conflict' })

await refused('an unknown RPC', service.rpc('chek_entitlement', runs), 404, { code: 'PGRST202' })
await refused('an unknown argument', service.rpc('get_usage', { ...january, p_what: 1 }), 404, { code: 'PGRST202' })
await refused('a missing argument', service.rpc('get_usage', {}), 404, { code: 'PGRST202' })
await refused('what writes by GET', service.rpc('meter_consumption', metered, { get: true }), 405, { code: 'PGRST101' })
await refused('an account that is not there', service.rpc('get_usage', { ...january, p_external_id: 'nobody' }), 404, { code: 'account_not_found' })
await refused('an account of others', user.rpc('get_usage', { ...january, p_external_id: 'beta' }), 404, { code: 'account_not_found' })
