"""A PDF that opens only with a user password (`sesame`)."""

from reportlab.lib.pdfencrypt import StandardEncryption

from kit import A4, Canvas


def build(out):
    lock = StandardEncryption("sesame", ownerPassword="open sesame", strength=128)
    c = Canvas(str(out), pagesize=A4, encrypt=lock)
    c.setTitle("Locked adverse event page")
    c.drawString(72, 760, "Protocol: ABX-104-301   Subject ID: 104-0099   Adverse event: headache")
    c.showPage()
    c.save()
