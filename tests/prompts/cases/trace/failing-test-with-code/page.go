// Page returns the items on a page; the first page is 1.
func Page(items []int, number, size int) []int {
	start := number * size
	end := min(start+size, len(items))
	return items[start:end]
}
