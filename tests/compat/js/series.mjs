// The rows of an RPC, filtered, chosen, ordered and counted as those of a resource.

import { ACME, answers, rows, service } from './harness.mjs'

const series = { p_account_id: ACME, p_resource_type: 'gpu_hours', p_from: '2026-01-01T00:00:00Z', p_to: '2026-02-01T00:00:00Z', p_bucket: 'day' }
const fifth = { bucket_start: '2026-01-05T00:00:00+00:00', group: null, quantity: 1.75 }
const seventh = { bucket_start: '2026-01-07T00:00:00+00:00', group: null, quantity: 5 }
for (const options of [{}, { get: true }]) {
  const how = options.get ? 'by GET' : 'by POST'
  const usage = (more) => service.rpc('usage_series', series, { ...options, ...more })
  await rows(`rows ${how}`, usage(), [fifth, seventh])
  await rows(`filtered rows ${how}`, usage().gt('quantity', 2), [seventh])
  await rows(`chosen columns ${how}`, usage().select('at:bucket_start,quantity').eq('quantity', 5), [{ at: '2026-01-07T00:00:00+00:00', quantity: 5 }])
  await rows(`rows in an order and a range ${how}`, usage().order('quantity', { ascending: false }).range(1, 1), [fifth])
  await rows(`one of the rows ${how}`, usage().lt('quantity', 2).single(), fifth)
  await answers(`a count of the rows ${how}`, usage({ count: 'exact' }).limit(1), { status: 206, count: 2, data: [fifth] })
}
await answers('a count of the rows alone', service.rpc('usage_series', series, { head: true, count: 'exact' }), { status: 200, count: 2, data: null })
