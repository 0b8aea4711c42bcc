// See fault_text.h.
