"""Everything one device needs, in one file that installs itself without a network: `build` and `check_bundle`."""

from .archive import check_bundle
from .build import Bundle, build
from .manifest import BundleManifest

__all__ = ["Bundle", "BundleManifest", "build", "check_bundle"]
