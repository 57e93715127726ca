"""Every role on another machine: `detection/remote` and so on call a `deixis tools serve`."""
