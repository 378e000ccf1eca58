package kafka

// lag asks how many records of the topic a group has not committed. A group that has committed nothing of a partition
// lags by all of its records.
func (t *exchange) lag() error {
	out := t.Out
	ctx, cancel := t.until(t.It.Deadline)
	defer cancel()
	k := t.client.cluster
	leaders, err := k.leadersOf(ctx, t.topic)
	if err != nil {
		return err
	}
	t.Wrote(t.Now())
	at, err := k.coordinator(ctx, t.group)
	if err != nil {
		return err
	}
	out.First = t.Now()
	partitions := every(len(leaders))
	committed, err := k.committed(ctx, at, t.group, t.topic, partitions)
	if err != nil {
		return err
	}
	ends, err := k.offsets(ctx, t.topic, partitions, fromEnd, false)
	if err != nil {
		return err
	}
	starts, err := k.offsets(ctx, t.topic, partitions, fromStart, false)
	if err != nil {
		return err
	}
	sum, list := int64(0), make([]any, len(partitions))
	for i, p := range partitions {
		lag := max(0, ends[p]-max(committed[p], starts[p]))
		sum += lag
		list[i] = map[string]any{"partition": int64(p), "committed": committed[p], "end": ends[p], "lag": lag}
	}
	t.doc, t.parsed = map[string]any{"lag": sum, "partitions": list}, true
	out.End, out.Answered = t.Now(), true
	return nil
}
